//! Lines that stay, and below them, on a terminal, lines that are drawn again and again.

use std::io::{self, IsTerminal as _, Write};

/// The narrowest terminal that is reckoned with.
const WIDTH: usize = 79;

/// Standard output, as a person watches it.
pub(crate) struct Terminal<W: Write> {
    out: W,
    live: bool,
    drawn: usize,
    color: bool,
}

impl Terminal<io::Stdout> {
    /// Standard output. What is redrawn is only drawn if that is a terminal.
    pub(crate) fn stdout() -> Self {
        let live = io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|t| t != "dumb");
        let color = live && std::env::var_os("NO_COLOR").is_none();
        Self { out: io::stdout(), live, drawn: 0, color }
    }
}

impl<W: Write> Terminal<W> {
    /// Somewhere else, as plain lines.
    #[cfg(test)]
    pub(crate) fn plain(out: W) -> Self {
        Self { out, live: false, drawn: 0, color: false }
    }

    /// Whether lines are redrawn.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Prints a line that stays. A reader that went away is no error: there is nobody left to tell.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        self.clear();
        let _ = writeln!(self.out, "{}", text.as_ref());
    }

    /// Prints a line that must be seen.
    pub(crate) fn loud(&mut self, text: impl AsRef<str>) {
        match self.color {
            true => self.line(format!("\x1b[1;33m{}\x1b[0m", text.as_ref())),
            false => self.line(text),
        }
    }

    /// Draws these lines below all others, in place of the ones drawn before. Nothing happens if this is no terminal.
    pub(crate) fn draw(&mut self, lines: &[String]) {
        if !self.live {
            return;
        }
        self.clear();
        for line in lines {
            // Cut, so that a narrow terminal does not wrap it: the count of lines to clear would be wrong.
            let cut: String = line.chars().take(WIDTH).collect();
            let _ = writeln!(self.out, "\x1b[2m{cut}\x1b[0m");
        }
        self.drawn = lines.len();
        let _ = self.out.flush();
    }

    fn clear(&mut self) {
        if self.drawn > 0 {
            let _ = write!(self.out, "\x1b[{}A\x1b[J", self.drawn);
            self.drawn = 0;
        }
    }
}

/// Prints one line on standard output. A reader that went away is no error: there is nobody left to tell.
pub(crate) fn say(text: impl AsRef<str>) {
    let _ = writeln!(io::stdout(), "{}", text.as_ref());
}

/// A table whose columns are as wide as their widest cell.
pub(crate) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width =
        |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let render = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(render).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows =
            [vec!["DEVICE".to_owned(), "STATE".to_owned()], vec!["a".to_owned(), "23.4 °C".to_owned()]];
        assert_eq!(table(&rows), ["DEVICE  STATE", "a       23.4 °C"]);
    }

    #[test]
    fn a_file_gets_no_redrawn_lines() {
        let mut out = Vec::new();
        let mut terminal = Terminal::plain(&mut out);
        terminal.draw(&["progress".to_owned()]);
        terminal.line("stays");
        assert_eq!(out, b"stays\n");
    }
}
