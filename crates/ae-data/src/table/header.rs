//! Whether the first row of a table has the names of its columns, and the second their units.

use csv::StringRecord;

use super::date::{self, Order};
use super::missing::is_missing;
use super::number::number;
use super::{Decimal, Header};

/// The names of label columns by default, best first, in any case of letters.
pub(super) const LABEL_COLUMNS: [&str; 3] = ["label", "class", "target"];

/// The meaning of the first row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// The names of the columns.
    Names,
    /// A sample.
    Row,
    /// A sample, although it counts up as names may do.
    CountingRow,
    /// Unclear: it has a number above numbers, and a text above numbers.
    Mixed,
}

/// The kind of a cell by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Missing,
    Value,
    Text,
}

fn kind(cell: &str, decimal: Decimal) -> Cell {
    if is_missing(cell) {
        Cell::Missing
    } else if number(cell, decimal).is_some()
        || date::seconds(cell, Order::DayFirst).is_some()
        || date::seconds(cell, Order::MonthFirst).is_some()
    {
        Cell::Value
    } else {
        Cell::Text
    }
}

/// The meaning of the first row. `asked` is the caller's label column, by name or index.
pub(super) fn first_row(
    rows: &[StringRecord],
    asked: Option<&str>,
    header: Header,
    decimal: Decimal,
) -> First {
    let Some(first) = rows.first() else {
        return First::Row;
    };
    match header {
        Header::Yes => return First::Names,
        Header::No => return First::Row,
        Header::Auto => {}
    }
    let index = asked.and_then(|asked| asked.parse::<usize>().ok());
    if names_labels(first, asked, index) {
        return First::Names;
    }
    // R omits the name of the column of row names, pandas leaves it empty.
    let below = &rows[1..];
    let shift = usize::from(is_short(first, below));
    let column = |at: usize| {
        let cells = below.iter().filter_map(move |row| row.get(at + shift));
        cells.filter(|cell| !is_missing(cell))
    };
    let cells = || first.iter().enumerate().filter(|(at, _)| Some(*at) != index);
    let is_value = |at: usize| {
        let values = column(at).filter(|cell| kind(cell, decimal) == Cell::Value).count();
        values > 0 && values * 2 >= column(at).count()
    };
    let texts: Vec<usize> =
        cells().filter(|(_, cell)| kind(cell, decimal) == Cell::Text).map(|(at, _)| at).collect();
    let numbers: Vec<(usize, f64)> = cells()
        .filter_map(|(at, cell)| Some((at, number(cell, decimal).filter(|x| x.is_finite())?)))
        .collect();
    let empty = cells().filter(|(_, cell)| cell.is_empty()).count();
    let named = texts.iter().any(|at| is_value(*at));

    if numbers.is_empty() {
        // If all is text, a text that is repeated below is no name.
        let again =
            texts.iter().filter(|at| column(**at).any(|cell| Some(cell) == first.get(**at)));
        let repeated = texts
            .iter()
            .any(|at| texts.iter().any(|of| of < at && first.get(*of) == first.get(*at)));
        let values = !named
            && (again.clone().count() * 2 >= texts.len() && again.count() > 0
                || repeated && !below.is_empty());
        return if texts.is_empty() || values { First::Row } else { First::Names };
    }
    let steps = steps(&numbers);
    let unlike = counts_up(&numbers, &steps) && are_unlike(&numbers, below, shift, decimal);
    let leads_index = empty == 1 && first.get(0) == Some("") && numbers.len() + 1 == first.len();
    if leads_index && steps == Steps::Equal && column(0).count() > 0 {
        return First::Names;
    }
    if texts.is_empty() {
        return match (unlike, steps) {
            (true, _) if numbers.len() > 2 => First::Names,
            (_, Steps::Equal) if numbers.len() > 2 && !below.is_empty() => First::CountingRow,
            _ => First::Row,
        };
    }
    match named {
        true if steps == Steps::Equal && numbers.len() > 1 => First::Names,
        true => First::Mixed,
        false if unlike && numbers.len() > 1 => First::Names,
        false => First::Row,
    }
}

/// Whether the first row is one cell shorter than the rows below, and not just by empty cells.
pub(super) fn is_short(first: &StringRecord, below: &[StringRecord]) -> bool {
    let longer = below.iter().filter(|row| row.len() == first.len() + 1).count();
    longer > 1
        && longer * 10 >= below.len() * 9
        && below.iter().any(|row| row.get(first.len()).is_some_and(|cell| !cell.is_empty()))
}

fn names_labels(first: &StringRecord, asked: Option<&str>, index: Option<usize>) -> bool {
    let known = |cell: &str| LABEL_COLUMNS.iter().any(|name| cell.eq_ignore_ascii_case(name));
    match (index, asked) {
        (Some(index), _) => first.get(index).is_some_and(known),
        (None, Some(asked)) => first.iter().any(|cell| cell == asked),
        (None, None) => first.iter().any(known),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Steps {
    Equal,
    Rising,
    None,
}

/// Whether the numbers of a row have equal steps, rise or fall, or neither.
fn steps(numbers: &[(usize, f64)]) -> Steps {
    let steps: Vec<f64> = numbers.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
    let Some(first) = steps.first().filter(|step| **step != 0.0) else {
        return Steps::None;
    };
    if steps.iter().all(|step| (step - first).abs() <= 1e-6 * first.abs()) {
        Steps::Equal
    } else if steps.iter().all(|step| step * first > 0.0) {
        Steps::Rising
    } else {
        Steps::None
    }
}

/// Whether a row may have years, wavelengths or 0, 1, 2, ...
fn counts_up(numbers: &[(usize, f64)], steps: &Steps) -> bool {
    match steps {
        Steps::Equal => numbers.len() > 1,
        Steps::Rising => numbers.len() > 4,
        Steps::None => false,
    }
}

/// Whether the rows below have other numbers: fractions below integers, or none as small or as large.
/// They must not count up themselves.
fn are_unlike(
    numbers: &[(usize, f64)],
    below: &[StringRecord],
    shift: usize,
    decimal: Decimal,
) -> bool {
    let of = |row: &StringRecord| -> Vec<(usize, f64)> {
        let number = |at: usize| number(row.get(at + shift)?, decimal);
        numbers.iter().filter_map(|(at, _)| Some((*at, number(*at)?))).collect()
    };
    let rows: Vec<Vec<(usize, f64)>> = below.iter().map(of).filter(|row| !row.is_empty()).collect();
    let counting = rows.iter().filter(|row| row.len() > 2 && steps(row) != Steps::None).count();
    if rows.is_empty() || counting * 2 > rows.len() {
        return false;
    }
    let column = |at: usize| {
        rows.iter()
            .flat_map(move |row| row.iter().filter(move |cell| cell.0 == at).map(|cell| cell.1))
    };
    let whole = numbers.iter().all(|(_, name)| name.fract() == 0.0);
    let fractions =
        numbers.iter().filter(|(at, _)| column(*at).any(|value| value.fract() != 0.0)).count();
    let outside = |(at, name): &(usize, f64)| {
        let (low, high) = column(*at)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        *name < low || *name > high
    };
    whole && fractions * 2 >= numbers.len() || rows.len() >= 10 && numbers.iter().all(outside)
}

/// Whether the row below the names has units: texts above numbers, and no number.
pub(super) fn second_is_units(rows: &[StringRecord], decimal: Decimal) -> bool {
    let [_, units, below @ ..] = rows else {
        return false;
    };
    if below.is_empty() || units.iter().any(|cell| kind(cell, decimal) == Cell::Value) {
        return false;
    }
    let is_value = |at: usize| {
        let mut cells = below.iter().filter_map(|row| row.get(at)).filter(|cell| !is_missing(cell));
        cells.by_ref().next().is_some_and(|cell| kind(cell, decimal) == Cell::Value)
            && cells.all(|cell| kind(cell, decimal) == Cell::Value)
    };
    let texts: Vec<usize> = units
        .iter()
        .enumerate()
        .filter(|(_, cell)| kind(cell, decimal) == Cell::Text)
        .map(|(at, _)| at)
        .collect();
    let above = texts.iter().filter(|at| is_value(**at)).count();
    let wide = (0..units.len()).filter(|at| is_value(*at)).count();
    above > 0
        && above * 2 > texts.len()
        && (above * 2 >= wide || above == texts.len())
        && !texts.iter().any(|at| below.iter().any(|row| row.get(*at) == units.get(*at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<StringRecord> {
        text.split('/').map(|row| row.split(',').collect::<Vec<_>>().into()).collect()
    }

    fn first(text: &str, asked: Option<&str>) -> First {
        first_row(&rows(text), asked, Header::Auto, Decimal::Point)
    }

    #[test]
    fn names_are_distinguished_from_numbers() {
        for text in ["a,b", "a,", ",a", "label,0,1", "0,Class", "a2019,b", "a,b/M,1/F,2"] {
            assert_eq!(first(text, None), First::Names, "{text}");
        }
        for text in ["1,2", "1,", ",", "2019,2020", "1,nan", "M,F/F,M/F,F", "5.1,x/6.2,y"] {
            assert_eq!(first(text, None), First::Row, "{text}");
        }
        for text in ["1,oops/3,4/5,6", "oops,1/3,4"] {
            assert_eq!(first(text, None), First::Mixed, "{text}");
        }
        // The cell of the label column counts only if it is the name of the column.
        let names = |text, asked| first(text, asked) == First::Names;
        assert!(names("2019,kind", Some("kind")) && names("1,label", Some("1")));
        assert!(names("a,b", Some("1")) && names("label,1,2", Some("0")));
        assert!(!names("5.1,setosa", Some("1")) && !names(",setosa", Some("1")));
        assert!(!names("2,3,setosa", Some("2")) && !names("label,3,setosa", Some("2")));
    }

    #[test]
    fn numbers_that_count_up_above_other_numbers_are_names() {
        let spectra =
            "400.5,401.2,402.9,403,407/".to_owned() + &["1.5,1.6,1.4,1.3,1.5"; 10].join("/");
        for text in [
            "0,1,2,3/0.5,-1,2,0.1",
            "2019,2020,2021/0.5,1.5,0.25/1,2.5,1",
            ",0,1,2/0,5,3,7/1,8,8,9",
            "country,2019,2020/DE,1.5,2.5/FR,1.25,0.5",
            "country,2019,2020/1,2,3",
            &spectra,
        ] {
            assert_eq!(first(text, None), First::Names, "{text}");
        }
        for text in ["0,1,2/3,4,5", "0,1,2/0.5,1.5,2.5/1,2,3", "0,1,2/5,3,8"] {
            assert_eq!(first(text, None), First::CountingRow, "{text}");
        }
        assert_eq!(first("0,1/1.5,0", None), First::Row);
        assert_eq!(first("3,1,2/0.5,0.1,0.7", None), First::Row);
    }

    #[test]
    fn units_are_distinguished_from_samples() {
        let units = |text| second_is_units(&rows(text), Decimal::Point);
        assert!(units("t,T/s,°C/0,20/1,21") && units("t,T,who/s,,/0,20,x"));
        assert!(!units("t,T/1,2/3,4") && !units("name,h/Bob,wide/Al,3") && !units("a,b/x,y/x,z"));
    }
}
