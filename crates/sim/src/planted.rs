//! Mistakes that can be built into what is shipped, to see that they are found.

/// Name and meaning of each, for `--cfg sensock_planted`.
pub const ALL: [(&str, &str); 24] = [
    ("ack-before-commit", "the server acknowledges what it has, not what is committed"),
    ("stale-mark", "the mark is read before the lock is held"),
    ("no-dedup", "what was stored already is stored again"),
    ("floor-ignored", "the store does not subtract a device's floor"),
    ("floor-unsaid", "the device does not say that its floor rose"),
    ("tail-unsaid", "the tail of a boot that died becomes no gap"),
    ("gap-miscounted", "a gap counts one record too many"),
    ("open-gap-stays", "a gap at the tail is never closed"),
    ("position-reused", "a board whose memory was rolled back keeps its numbers"),
    (
        "flash-unmoved",
        "of a board whose memory was rolled back the boot that runs is moved, not what lies in its flash",
    ),
    ("clone-unseen", "a superseded tag proves nothing"),
    ("tag-kept-late", "a session is proved before the device has kept its tag"),
    ("credit-withheld", "no credit is ever given"),
    ("alarm-starved", "readings go before alarms"),
    ("pace-unbounded", "any number of readings may be on their way"),
    ("ack-frees-more", "an acknowledgement frees one record too many"),
    ("begun-unsaid", "the device does not say which commands it has begun"),
    ("command-resent", "a command that may have run is sent to the next boot"),
    ("expired-though-sent", "a command that was sent expires all the same"),
    ("late-command", "a command runs after its time"),
    ("clock-sign", "bounds of a clock get narrower with age"),
    ("moved-unsaid", "the device does not say that its boots were moved"),
    ("new-catalogue", "what an older firmware measured is read with the new catalogue"),
    ("poison-blocks", "a row that the store rejects is tried for ever"),
];

/// From here on this mistake is made; false if there is none of this name, or none can be made in this build.
pub fn choose(name: &str) -> bool {
    #[cfg(sensock_planted)]
    sensock::planted::choose(name);
    cfg!(sensock_planted) && ALL.iter().any(|(n, _)| *n == name)
}
