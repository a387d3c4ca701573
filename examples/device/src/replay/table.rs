//! Text to lines and fields: which character separates, where the header is, what lies below it.

use super::{
    error::{Fault, Problem},
    profile::{self, Match, Profile},
    stamp::stamp,
};
use std::borrow::Cow;

/// How far down a header is looked for, in lines that are not blank.
const HEADER_WITHIN: usize = 20;

/// A recording as text, its header found.
#[derive(Debug)]
pub(super) struct Table<'a> {
    delimiter: char,
    /// The names, one for each field of a row.
    pub(super) header: Vec<String>,
    pub(super) header_line: u64,
    /// The known kind of recording that the header shows.
    pub(super) profile: Option<&'static Profile>,
    lines: Vec<(u64, &'a str)>,
}

/// The fields of one row, in the header's order.
#[derive(Debug, Default)]
pub(super) struct Fields<'a>(Vec<Cow<'a, str>>);

impl<'a> Table<'a> {
    /// Finds the separator and the header of `text`; `file` is its name.
    pub(super) fn new(file: &str, text: &'a str) -> Result<Self, Fault> {
        let mut lines: Vec<_> = (1..).zip(text.lines()).filter(|(_, line)| !blank(line)).collect();
        let delimiter = delimiter(&lines);
        let (at, mut header, profile) = find_header(file, &lines, delimiter)?;
        let header_line = lines.get(at).map_or(1, |(line, _)| *line);
        lines.drain(..=at.min(lines.len().saturating_sub(1)));
        // Tables written with row names have no name for that column.
        if let Some((_, first)) = lines.first()
            && split(first, delimiter).is_ok_and(|fields| fields.len() == header.len() + 1)
        {
            header.insert(0, String::new());
        }
        Ok(Self { delimiter, header, header_line, profile, lines })
    }

    /// Every row below the header with its line number; blank lines are left out.
    pub(super) fn rows(&self) -> impl Iterator<Item = Result<(u64, Fields<'a>), Fault>> + '_ {
        self.lines.iter().map(|&(line, text)| {
            let mut fields = split(text, self.delimiter).map_err(|problem| Fault::line(line, problem))?;
            let expected = self.header.len();
            while fields.len() > expected && fields.last().is_some_and(|field| field.is_empty()) {
                fields.pop();
            }
            if fields.len() != expected {
                return Err(Fault::line(line, Problem::FieldCount { found: fields.len(), expected }));
            }
            Ok((line, Fields(fields)))
        })
    }

    /// What to call a column when speaking to people.
    pub(super) fn label(&self, column: usize) -> String {
        match self.header.get(column) {
            Some(name) if !name.is_empty() => name.clone(),
            _ => format!("number {}", column + 1),
        }
    }
}

impl Fields<'_> {
    /// The field of a column, without white space around it.
    pub(super) fn cell(&self, column: usize) -> &str {
        self.0.get(column).map_or("", |field| field.as_ref())
    }
}

fn blank(line: &str) -> bool {
    line.chars().all(|c| c.is_whitespace() || c == ',' || c == ';')
}

/// The separator that the most of the first lines have.
fn delimiter(lines: &[(u64, &str)]) -> char {
    let lines_with = |c: char| lines.iter().take(HEADER_WITHIN).filter(|(_, line)| line.contains(c)).count();
    let mut best = ',';
    for candidate in ['\t', ';'] {
        if lines_with(candidate) > lines_with(best) {
            best = candidate;
        }
    }
    best
}

type Header = (usize, Vec<String>, Option<&'static Profile>);

/// A known header in one of the first lines, or else the first line that names two columns.
fn find_header(file: &str, lines: &[(u64, &str)], delimiter: char) -> Result<Header, Fault> {
    let Some((first_line, first)) = lines.first() else { return Err(Problem::Empty.into()) };
    let mut incomplete = None;
    for (at, &(line, text)) in lines.iter().take(HEADER_WITHIN).enumerate() {
        for names in names(text, delimiter) {
            match profile::recognise(file, &names) {
                Match::Whole(profile) => return Ok((at, names, Some(profile))),
                Match::Part { profile, missing } => {
                    let missing = quoted(&missing);
                    let found = quoted(&names);
                    let problem = Problem::MissingColumns { profile: profile.name, missing, found };
                    incomplete = incomplete.or(Some(Fault::line(line, problem)));
                }
                Match::None => {}
            }
        }
    }
    if let Some(fault) = incomplete {
        return Err(fault);
    }
    for (at, &(line, text)) in lines.iter().take(HEADER_WITHIN).enumerate() {
        let names = split(text, delimiter).map_err(|problem| Fault::line(line, problem))?;
        if names.iter().filter(|name| !name.is_empty()).count() < 2 {
            continue;
        }
        let mut filled = names.iter().filter(|name| !name.is_empty());
        // A name may be a number, but the time's name is none, and no name is a time of day.
        let time_first = filled.next().is_some_and(|name| stamp(name).is_some());
        if time_first || filled.any(|name| name.contains(':') && stamp(name).is_some()) {
            return Err(Fault::line(line, Problem::NoHeader { found: "a row of data".to_owned() }));
        }
        return Ok((at, names.into_iter().map(Cow::into_owned).collect(), None));
    }
    let start: String = first.trim().chars().take(40).collect();
    Err(Fault::line(*first_line, Problem::NoHeader { found: format!("{start:?}") }))
}

/// The ways to read a line as names: by the separator, and by white space where a header strays from its table.
fn names(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let by_delimiter = split(text, delimiter).unwrap_or_default();
    let by_space = text.split_whitespace().map(str::to_owned).collect();
    vec![by_delimiter.into_iter().map(Cow::into_owned).collect(), by_space]
}

fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| format!("{:?}", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// One line to fields. A field in quotes may hold the separator, and a quote written twice.
fn split(line: &str, delimiter: char) -> Result<Vec<Cow<'_, str>>, Problem> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let trimmed = rest.trim_start_matches(' ');
        let (field, after) = match trimmed.strip_prefix('"') {
            Some(inside) => quoted_field(inside)?,
            None => {
                let (field, after) = rest.split_at(rest.find(delimiter).unwrap_or(rest.len()));
                (Cow::Borrowed(field.trim()), after)
            }
        };
        fields.push(field);
        // What stands between a closing quote and the separator belongs to no field; only blanks are usual there.
        match after.find(delimiter) {
            Some(at) => rest = after.get(at + delimiter.len_utf8()..).unwrap_or_default(),
            None => return Ok(fields),
        }
    }
}

/// The text up to the closing quote, and what follows it.
fn quoted_field(inside: &str) -> Result<(Cow<'_, str>, &str), Problem> {
    let mut from = 0;
    loop {
        let Some(end) = inside.get(from..).and_then(|text| text.find('"')) else {
            return Err(Problem::OpenQuote);
        };
        let (field, after) = inside.split_at(from + end);
        let after = after.get(1..).unwrap_or_default();
        if after.starts_with('"') {
            from += end + 2;
            continue;
        }
        let field =
            if from == 0 { Cow::Borrowed(field.trim()) } else { Cow::Owned(field.replace("\"\"", "\"")) };
        return Ok((field, after));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_may_hold_the_separator_and_quotes() {
        assert_eq!(split(r#""a,b", "say ""hi""" ,c , "#, ',').unwrap(), ["a,b", r#"say "hi""#, "c", ""]);
        assert!(matches!(split(r#"a,"b"#, ','), Err(Problem::OpenQuote)));
        assert!(matches!(split(r#"a,"b"""#, ','), Err(Problem::OpenQuote)));
    }

    #[test]
    fn titles_and_blank_lines_keep_their_line_numbers() {
        let text = "My cellar\r\n\r\ntime\ttemp\r\n\r\n1\t2\r\n\t\r\n3\t4\r\n";
        let table = Table::new("x", text).unwrap();
        assert_eq!(
            (table.header_line, table.header.as_slice()),
            (3, ["time".to_owned(), "temp".to_owned()].as_slice())
        );
        let lines: Vec<_> = table.rows().map(|row| row.unwrap().0).collect();
        assert_eq!(lines, [5, 7]);
    }

    proptest! {
        #[test]
        fn splitting_gives_back_what_was_joined(fields in prop::collection::vec("[a-z\", ;]{0,6}", 1..6)) {
            let line = fields.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect::<Vec<_>>().join(";");
            let found = split(&line, ';').unwrap();
            prop_assert_eq!(found.len(), fields.len());
            for (found, field) in found.iter().zip(&fields) {
                prop_assert_eq!(found.trim(), field.trim());
            }
        }

        #[test]
        fn any_text_is_a_table_or_an_error(text in "[a-z0-9,;\t\"\r\n .]{0,80}") {
            if let Ok(table) = Table::new("x", &text) {
                let width = table.header.len();
                for row in table.rows().flatten() {
                    prop_assert_eq!(row.1.0.len(), width);
                }
            }
        }
    }
}
