//! Figures in columns, and the middle of several.

/// The middle of them (the upper one of two); 0 of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Aligns columns: the first to the left, all others to the right. The first row is the heading.
pub fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |i: usize| rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            match i {
                0 => line += &format!("{cell}{padding}"),
                _ => line += &format!("  {padding}{cell}"),
            }
        }
        out += line.trim_end();
        out += "\n";
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_no_mean() {
        assert_eq!(median([9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([]), 0.0);
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".into(), "value".into()], vec!["longer".into(), "7".into()]];
        assert_eq!(columns(&rows), "a       value\nlonger      7\n");
    }
}
