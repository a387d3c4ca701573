//! What is wrong with a rule file: where, what was found, what was expected.

use std::fmt;

/// One thing that is wrong with a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileError {
    /// The file, as the caller named it.
    pub(crate) file: String,
    /// The line, from 1 on; none if it is the file itself.
    pub(crate) line: Option<usize>,
    /// What is wrong.
    pub(crate) what: String,
}

/// Everything that is wrong, in the order of the files and lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileErrors(pub(crate) Vec<FileError>);

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

impl fmt::Display for FileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for FileErrors {}
