//! Who a device turns out to be: rule B, pure.
//!
//! | the device's boot, against the stored one | its tag | verdict |
//! |---|---|---|
//! | any | the stored tag | the same boot again |
//! | none, or 0 | none, or one that nobody stored | a new boot, numbered by the server |
//! | higher | none of an earlier boot, or one that was not superseded; none of a move that nobody stored, or above all that is stored with all that it holds | a new boot |
//! | the same or lower | one that was superseded | collision |
//! | the same | another confirmed one | collision |
//! | anything else | | rebase: its positions move above all that is stored |
//!
//! A tag that the device holds for its boot and that means nothing here (another server proposed it and its transaction came to nothing,
//! or another store gave it) becomes that boot's tag. So a Hello that is tried again, or a device that goes back and forth between two
//! stores, keeps one tag per boot and is not taken for two boards.
//!
//! A device takes its shift from Welcome, before the Hello that goes with it is committed. If another life of the device is committed
//! between the two, numbers that were free are so no more, and the shift stays. So a tag that is given with a move says that it is one
//! (`OF_MOVE`): as long as it is unknown here, what the device holds is looked at again.

use sensock::wire::hello::Hello;
use sensock::{Lane, Position, Tag};

use crate::floor::{LaneState, Subtracted, shifted, subtract};
use crate::store::Resume;
use crate::work::{Identity, Meeting, Verdict};

/// In a tag: it was given together with a move. Devices keep it with the rest of the tag and do not look at it.
const OF_MOVE: u64 = 1 << 63;

/// Says who a device is, from what the store knows and what it says of itself. `fresh` is the tag for a new boot, drawn at random and
/// not 0.
///
/// The same call, with the proposed tag as `fresh`, is made again under lock before anything is written (`commit`).
pub fn judge(resume: &Resume, hello: &Hello, fresh: Tag) -> Verdict {
    let (stored, tag) = resume.boot_and_tag();
    let local = hello.boot.unwrap_or(0);
    let shows = |t: Tag| t != Tag::NONE && hello.own_tags().contains(&t);
    let superseded = resume.device.iter().flat_map(|d| &d.superseded);
    // Memory that knows an earlier boot's tag, and not that it was followed by another: whatever number it counts up to by itself, those
    // boots are not the ones that are stored.
    let earlier = hello.earlier_tag();
    let rolled_back = earlier != Tag::NONE && superseded.clone().any(|&t| t == earlier);
    let superseded = superseded.copied().any(shows);
    let top = highest_boot(resume);
    // Also if nothing of the lowest boot is stored yet: another board may be at work on records of the same number.
    let lowest = hello.lanes.iter().map(|l| l.floor).filter(|&f| f != Position::NONE).map(Position::boot);
    let lowest = lowest.fold(local, u32::min);
    let lowest = if sensock::planted!("flash-unmoved") { local } else { lowest };
    let unproved = [hello.tag, hello.pending_tag].into_iter().any(|t| is_of_move(t) && !is_known(resume, t));
    let welcome = |meeting, shift, tag| Verdict::Welcome(meet(resume, hello, meeting, shift, tag));

    if shows(tag) && local <= stored {
        // A device that has not taken its shift yet gets the same one again.
        return welcome(Meeting::Resumed, stored - local, tag);
    }
    // A boot that follows one whose move is not stored says so too, until a tag of its own is.
    let fresh = if unproved { of_move(fresh) } else { Tag(fresh.0 & !OF_MOVE) };
    let tag_of_boot = held_tag(resume, hello).unwrap_or(fresh);
    let meeting = if resume.device.is_none() { Meeting::First } else { Meeting::Booted };
    let taken = unproved && lowest <= top;
    if local > top && !rolled_back && !taken {
        return welcome(meeting, 0, tag_of_boot);
    }
    if superseded && !sensock::planted!("clone-unseen") {
        return Verdict::Collision;
    }
    if local == 0 {
        return welcome(meeting, top.saturating_add(1), tag_of_boot);
    }
    if local == stored && tag != Tag::NONE && hello.own_tags()[0] != Tag::NONE {
        return Verdict::Collision;
    }
    if sensock::planted!("position-reused") {
        return welcome(Meeting::Resumed, 0, tag_of_boot);
    }
    // A shift of nothing would be no rebase in the device's eyes.
    welcome(Meeting::Rebased, top.saturating_add(1).saturating_sub(lowest).max(1), of_move(tag_of_boot))
}

/// Whether a tag was given together with a move ([`Meeting::Rebased`]), or after one that nobody stored.
fn is_of_move(tag: Tag) -> bool {
    tag.0 & OF_MOVE != 0
}

/// The same tag, of a move.
fn of_move(tag: Tag) -> Tag {
    Tag(tag.0 | OF_MOVE)
}

/// What the floors of a Hello, moved by `shift`, do to each lane.
pub fn subtract_floors(resume: &Resume, hello: &Hello, shift: u32) -> [Subtracted; Lane::COUNT] {
    Lane::ALL.map(|lane| {
        let i = lane.index();
        let state = LaneState { mark: resume.marks[i], ended: resume.ended[i] };
        subtract(state, &shifted(&hello.lanes[i], hello.boot.unwrap_or(0), shift))
    })
}

/// The identity that goes with a meeting.
pub(crate) fn meet(resume: &Resume, hello: &Hello, meeting: Meeting, shift: u32, tag: Tag) -> Identity {
    Identity {
        boot: hello.boot.unwrap_or(0).saturating_add(shift),
        shift,
        tag,
        meeting,
        marks: subtract_floors(resume, hello, shift).map(|s| s.mark),
    }
}

/// The highest boot of which the store knows.
fn highest_boot(resume: &Resume) -> u32 {
    let marks = resume.marks.iter().map(|m| m.boot());
    marks.fold(resume.boot_and_tag().0, u32::max)
}

/// The tag that the device holds for this boot, if it is none of an earlier boot.
fn held_tag(resume: &Resume, hello: &Hello) -> Option<Tag> {
    hello.own_tags().into_iter().find(|&t| t != Tag::NONE && !is_known(resume, t))
}

/// Whether this tag is that of the stored boot or of one before.
fn is_known(resume: &Resume, tag: Tag) -> bool {
    resume.device.as_ref().is_some_and(|d| d.tag == tag || d.superseded.contains(&tag))
}

#[cfg(test)]
mod tests;
