//! Numbers in the notations of all countries.

use super::Decimal;

/// The number that a text means, if any: as Rust reads it, or with thousands separators (1,234.5;
/// 1 234; 1'234), with a decimal comma, with Fortran's exponent (1.5D3), or with a typographic minus.
pub(super) fn number(cell: &str, decimal: Decimal) -> Option<f64> {
    if decimal == Decimal::Point
        && let Ok(value) = cell.parse()
    {
        return Some(value);
    }
    if !cell.contains(|letter: char| letter.is_ascii_digit()) {
        // inf, infinity and so on
        return cell.parse().ok();
    }
    let parts = NumberParts::of(cell)?;
    let (mark, group) = match decimal {
        Decimal::Point => ('.', ','),
        Decimal::Comma => (',', '.'),
    };
    let (whole, rest) = match parts.digits.split_once(mark) {
        Some((whole, rest)) => (whole, Some(rest)),
        None => (parts.digits, None),
    };
    let mut plain = String::with_capacity(cell.len());
    plain.extend(parts.negative.then_some('-'));
    plain += &ungrouped(whole, group)?;
    if let Some(rest) = rest {
        if !rest.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        plain.push('.');
        plain += rest;
    }
    if let Some(exponent) = parts.exponent {
        plain.push('e');
        plain += exponent;
    }
    plain.parse().ok()
}

/// The parts of a number, before the meaning of its marks is known.
struct NumberParts<'a> {
    negative: bool,
    /// Digits and marks.
    digits: &'a str,
    exponent: Option<&'a str>,
}

impl<'a> NumberParts<'a> {
    fn of(cell: &'a str) -> Option<Self> {
        let unsigned = cell.strip_prefix(['-', '\u{2212}']);
        let negative = unsigned.is_some();
        let rest = unsigned.unwrap_or_else(|| cell.strip_prefix('+').unwrap_or(cell));
        let (digits, exponent) = match rest.split_once(['e', 'E', 'd', 'D']) {
            Some((digits, exponent)) => (digits, Some(exponent)),
            None => (rest, None),
        };
        let known = |letter: char| letter.is_ascii_digit() || is_mark(letter);
        let is_number = digits.contains(|letter: char| letter.is_ascii_digit())
            && digits.chars().all(known)
            && exponent.is_none_or(|exponent| exponent.parse::<i32>().is_ok());
        is_number.then_some(Self { negative, digits, exponent })
    }
}

fn is_mark(letter: char) -> bool {
    matches!(letter, '.' | ',') || is_group(letter)
}

/// Whether a letter can only separate thousands.
fn is_group(letter: char) -> bool {
    matches!(letter, '\'' | '\u{2019}' | ' ' | '\u{a0}' | '\u{202f}')
}

/// The digits of an integer without thousands separators, which must all be the same: 1 to 3 digits,
/// then 3 each (in India 2 each except for the last group).
fn ungrouped(whole: &str, group: char) -> Option<String> {
    let mark = whole.chars().find(|letter| !letter.is_ascii_digit());
    let Some(mark) = mark else {
        return Some(whole.to_owned());
    };
    if mark != group && !is_group(mark) {
        return None;
    }
    let groups: Vec<&str> = whole.split(mark).collect();
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let (first, last) = (groups[0], groups[groups.len() - 1]);
    let between = &groups[1..groups.len() - 1];
    let fits = (1..=3).contains(&first.len())
        && last.len() == 3
        && (between.iter().all(|group| group.len() == 3)
            || between.iter().all(|group| group.len() == 2))
        && groups.iter().all(|group| digits(group));
    fits.then(|| groups.concat())
}

/// What the cells show about the decimal mark, with an example of each case.
#[derive(Default)]
pub(super) struct Evidence {
    point: Option<String>,
    comma: Option<String>,
    /// Several points (1.234.567): thousands with a decimal comma, or a version number.
    points: Option<String>,
    /// 1,234: between one and two, or above a thousand.
    either: Option<String>,
}

impl Evidence {
    pub(super) fn add(&mut self, cell: &str) {
        let Some(NumberParts { digits, .. }) = NumberParts::of(cell) else {
            return;
        };
        let marks = |mark: char| digits.matches(mark).count();
        let slot = match (marks('.'), marks(',')) {
            (0, 0) => return,
            (points, commas) if points > 0 && commas > 0 => {
                let comma_is_last = digits.rfind(',') > digits.rfind('.');
                let decimal = if comma_is_last { Decimal::Comma } else { Decimal::Point };
                match (number(cell, decimal), decimal) {
                    (None, _) => return,
                    (_, Decimal::Comma) => &mut self.comma,
                    (_, Decimal::Point) => &mut self.point,
                }
            }
            (0, 1) => {
                let (whole, rest) = digits.split_once(',').unwrap_or_default();
                let thousands = rest.len() == 3 && ungrouped(digits, ',').is_some();
                let either = thousands && !whole.starts_with('0');
                if either { &mut self.either } else { &mut self.comma }
            }
            (0, _) if ungrouped(digits, ',').is_some() => &mut self.point,
            (1, 0) => {
                let thousands = ungrouped(digits, '.').is_some() && !digits.starts_with('0');
                if thousands {
                    return;
                }
                &mut self.point
            }
            (_, 0) if ungrouped(digits, '.').is_some() => &mut self.points,
            _ => return,
        };
        slot.get_or_insert_with(|| cell.to_owned());
    }

    /// The decimal mark, or the cells that leave it open.
    pub(super) fn decide(&self, separator: u8) -> Result<Decimal, String> {
        let both = |one: &str, other: &str| format!("both `{one}` and `{other}`");
        match (&self.point, &self.comma, &self.either, &self.points) {
            (Some(point), Some(comma), ..) => Err(both(point, comma)),
            (_, Some(_), ..) => Ok(Decimal::Comma),
            (Some(_), ..) => Ok(Decimal::Point),
            (.., Some(_)) => Ok(Decimal::Comma),
            // With a decimal comma the separator is a semicolon. If the separator is a comma, a
            // number with a comma is quoted.
            (.., Some(_), None) if separator == b';' => Ok(Decimal::Comma),
            (.., Some(_), None) if separator == b',' => Ok(Decimal::Point),
            (.., Some(either), None) => Err(format!("`{either}`")),
            _ => Ok(Decimal::Point),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_notations() {
        for (cell, expected) in [
            ("1.5", 1.5),
            ("-2e3", -2000.0),
            ("1,234.5", 1234.5),
            ("1,234,567", 1_234_567.0),
            ("12,34,567", 1_234_567.0),
            ("1'234.5", 1234.5),
            ("1\u{202f}234", 1234.0),
            ("1 234.5", 1234.5),
            ("-1,234e2", -123_400.0),
            ("1.5D+03", 1500.0),
            ("\u{2212}7", -7.0),
            ("+.5", 0.5),
        ] {
            assert_eq!(number(cell, Decimal::Point), Some(expected), "{cell}");
        }
        for (cell, expected) in [
            ("1,5", 1.5),
            ("1.234,5", 1234.5),
            ("1 234,5", 1234.5),
            ("-,5", -0.5),
            ("1.234", 1234.0),
            ("7", 7.0),
        ] {
            assert_eq!(number(cell, Decimal::Comma), Some(expected), "{cell}");
        }
        for cell in
            ["1,5", "1,23,4", "1.2.3", "12 34", "1,234'567", "5 kg", "", "-", "1e", "2020-01-01"]
        {
            assert_eq!(number(cell, Decimal::Point), None, "{cell}");
        }
        assert_eq!(number("1.5", Decimal::Comma), None);
    }

    #[test]
    fn decimal_mark_is_inferred_from_the_cells() {
        let decide = |cells: &[&str], separator| {
            let mut evidence = Evidence::default();
            cells.iter().for_each(|cell| evidence.add(cell));
            evidence.decide(separator)
        };
        assert_eq!(decide(&["1", "2.5"], b','), Ok(Decimal::Point));
        assert_eq!(decide(&["1,5"], b';'), Ok(Decimal::Comma));
        assert_eq!(decide(&["0,125"], b'\t'), Ok(Decimal::Comma));
        assert_eq!(decide(&["1,234"], b';'), Ok(Decimal::Comma));
        assert_eq!(decide(&["1,234"], b','), Ok(Decimal::Point));
        assert_eq!(decide(&["1,234", "2.5"], b';'), Ok(Decimal::Point));
        assert_eq!(decide(&["1,234"], b'\t'), Err("`1,234`".into()));
        assert_eq!(decide(&["1.234.567"], b';'), Ok(Decimal::Comma));
        assert_eq!(decide(&["1.234", "31.12.2020"], b';'), Ok(Decimal::Point));
        assert_eq!(decide(&["1,5", "2.5"], b';'), Err("both `2.5` and `1,5`".into()));
    }
}
