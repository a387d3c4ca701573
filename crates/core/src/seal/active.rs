//! A sealed connection, from the message that is written first to the last.

use super::handshake::{Answer, Dialled, FIRST_FRONT, SECOND_FRONT, Transport};
use super::{Credential, Denied, Ephemeral, Margins, Opened, TAG};
use crate::wire::cursor::NoRoom;
use crate::wire::header::{Kind, plain};
use core::mem::replace;

/// ```text
///   device   Fresh ── close: Hello ──► Dialled ── open: Welcome ──► Sealed
///   server   Answer ── close: Welcome ────────────────────────────► Sealed
/// ```
/// What fails leads to `Over`, and nothing leads away from there.
pub(super) enum Active {
    Fresh(Credential, Ephemeral),
    Dialled(Dialled),
    Answer(Answer, Ephemeral),
    Sealed(Transport),
    Over,
}

impl Active {
    pub(super) fn margins(&self) -> Margins {
        let front = match self {
            Active::Fresh(..) => FIRST_FRONT,
            Active::Answer(..) => SECOND_FRONT,
            Active::Dialled(_) | Active::Sealed(_) | Active::Over => 0,
        };
        Margins { front, back: TAG }
    }

    pub(super) fn close(&mut self, buf: &mut [u8], n: usize) -> Result<usize, NoRoom> {
        if let Active::Sealed(transport) = self {
            return transport.close(buf, n);
        }
        let (next, n) = match replace(self, Active::Over) {
            Active::Fresh(credential, ephemeral) => {
                let (dialled, n) = Dialled::first(&credential, ephemeral, buf, n)?;
                (Active::Dialled(dialled), n)
            }
            Active::Answer(answer, ephemeral) => {
                let (transport, n) = answer.second(ephemeral, buf, n)?;
                (Active::Sealed(transport), n)
            }
            // A device says nothing between Hello and Welcome.
            Active::Dialled(_) | Active::Sealed(_) | Active::Over => return Err(NoRoom),
        };
        *self = next;
        Ok(n)
    }

    pub(super) fn open(&mut self, message: &mut [u8]) -> Result<Opened, Denied> {
        match self {
            Active::Sealed(transport) => {
                if let Ok(n) = transport.open(message) {
                    return Ok(Opened { frame: 0..n, proved: true });
                }
            }
            // A server that cannot open Hello has nothing else to say no with. Neither has anybody else.
            Active::Dialled(_) if message.first() == Some(&plain(Kind::Refused)) => {
                return Ok(Opened { frame: 0..message.len(), proved: false });
            }
            _ => {}
        }
        let Active::Dialled(dialled) = replace(self, Active::Over) else { return Err(Denied) };
        let (transport, frame) = dialled.second(message)?;
        *self = Active::Sealed(transport);
        Ok(Opened { frame, proved: true })
    }
}
