//! Frames that are rendered by their own calls, into a caller's buffer.

use super::*;

impl Session {
    /// (5) Writes a Refused frame; the connection is over.
    ///
    /// # Errors
    /// [`Misuse::State`] after Welcome (say [`Session::bye`] then), [`Misuse::Buffer`] if `out` is below 256 bytes.
    pub fn refuse(
        &mut self,
        code: Refusal,
        backoff_ms: u32,
        text: &str,
        out: &mut [u8],
    ) -> Result<usize, Misuse> {
        if matches!(self.state, State::AwaitProof | State::Live) {
            return Err(Misuse::State);
        }
        self.state = State::Closed;
        Ok(Refused { code, backoff_ms, versions: (VERSION, VERSION), text: text.into() }.encode(out)?)
    }

    /// Writes a command.
    ///
    /// # Errors
    /// [`Misuse::State`] before [`Session::confirm`]; [`Misuse::Busy`] if the device holds as many as it can: wait for
    /// [`Session::answered`]; [`Misuse::Body`] if it is larger than the device's frame: it can never be delivered.
    pub fn command(&mut self, call: &Call<'_>, out: &mut [u8]) -> Result<usize, Misuse> {
        self.down(call.body, out)?;
        if self.held >= self.slots {
            return Err(Misuse::Busy);
        }
        let len = self.fit(call.encode(out))?;
        self.held += 1;
        Ok(len)
    }

    /// A command that was sent on this connection was answered, or will not be.
    pub fn answered(&mut self) {
        self.held = self.held.saturating_sub(1);
    }

    /// Whether a command is on the device that it has not answered.
    pub fn awaits_answer(&self) -> bool {
        self.held > 0
    }

    /// Whether the device can take one more command.
    pub fn can_command(&self) -> bool {
        self.state == State::Live && self.confirmed && self.held < self.slots
    }

    /// Writes a setting.
    ///
    /// # Errors
    /// As [`Session::command`], but for `Busy`.
    pub fn setting(&mut self, setting: &SettingValue<'_>, out: &mut [u8]) -> Result<usize, Misuse> {
        self.down(setting.body, out)?;
        self.fit(setting.encode(out))
    }

    /// Writes the answer to a question.
    ///
    /// # Errors
    /// As [`Session::setting`].
    pub fn answer(&mut self, answer: &Answer<'_>, out: &mut [u8]) -> Result<usize, Misuse> {
        self.down(answer.result.unwrap_or_default(), out)?;
        self.fit(answer.encode(out))
    }

    pub(super) fn down(&self, body: &[u8], out: &[u8]) -> Result<(), Misuse> {
        if self.state != State::Live || !self.confirmed {
            return Err(Misuse::State);
        }
        if body.len() > BODY_MAX {
            return Err(Misuse::Body);
        }
        if out.len() < FRAME_MIN_MAX { Err(Misuse::Buffer) } else { Ok(()) }
    }

    pub(super) fn fit(&self, written: Result<usize, NoRoom>) -> Result<usize, Misuse> {
        match written {
            Ok(len) if len <= usize::from(self.max_frame) => Ok(len),
            Ok(_) => Err(Misuse::Body),
            Err(NoRoom) => Err(Misuse::Buffer),
        }
    }

    /// (6) Writes a Bye; the connection is over. `retry_ms`: when the device shall come back.
    ///
    /// # Errors
    /// [`Misuse::Buffer`] if `out` is below 256 bytes.
    pub fn bye(&mut self, reason: End, retry_ms: u32, text: &str, out: &mut [u8]) -> Result<usize, Misuse> {
        self.state = State::Closed;
        let bye = Bye { reason, retry_ms, ends_boot: false, lasts: Default::default(), text: text.into() };
        Ok(bye.encode(out)?)
    }
}
