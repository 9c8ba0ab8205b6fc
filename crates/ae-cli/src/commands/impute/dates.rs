//! How a column writes its dates, so that those that are filled in look like those that are known.

use ae_data::table::{Column, Role, Schema};

/// The seconds of a day.
const DAY: f64 = 86_400.0;

/// Year, month, day, with lower case for fewer digits.
const DATES: [&str; 16] = [
    "Y-M-D", "D.M.Y", "D/M/Y", "M/D/Y", "Y/M/D", "Y.M.D", "D-M-Y", "M-D-Y", "d.m.Y", "d/m/Y",
    "m/d/Y", "YMD", "D.M.y", "D/M/y", "M/D/y", "m/d/y",
];

/// Hour, minute, second.
const TIMES: [&str; 6] = ["", " h:i", " h:i:s", "Th:i", "Th:i:s", "Th:i:sZ"];

/// A way to write dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateFormat(String);

impl DateFormat {
    /// The format that has all these dates, given in seconds and as text, if there is one and a date.
    pub fn of(known: &[(f64, String)]) -> Option<Self> {
        if known.is_empty() {
            return None;
        }
        let dates =
            DATES.iter().flat_map(|date| TIMES.iter().map(move |time| format!("{date}{time}")));
        let times = TIMES[1..3].iter().map(|time| time.trim_start().to_owned());
        let mut all = dates.chain(times).map(Self);
        all.find(|format| known.iter().all(|(seconds, text)| format.text(*seconds) == *text))
    }

    /// The date, rounded to what the format shows.
    pub fn text(&self, seconds: f64) -> String {
        let shown = if !self.0.contains('h') {
            DAY
        } else if !self.0.contains('s') {
            60.0
        } else {
            1.0
        };
        let Some([date, time]) = parts((seconds / shown).round() * shown) else {
            return iso(seconds);
        };
        let digits = |number: u32, count: usize| format!("{number:0count$}");
        let part = |letter| match letter {
            'Y' => digits(date[0], 4),
            'y' => digits(date[0] % 100, 2),
            'M' => digits(date[1], 2),
            'm' => digits(date[1], 1),
            'D' => digits(date[2], 2),
            'd' => digits(date[2], 1),
            'h' => digits(time[0], 2),
            'i' => digits(time[1], 2),
            's' => digits(time[2], 2),
            other => other.to_string(),
        };
        self.0.chars().map(part).collect()
    }
}

/// A date as `YYYY-MM-DD`, with its time unless that is midnight.
pub fn iso(seconds: f64) -> String {
    let column = Column { name: String::new(), role: Role::Date { month_first: false } };
    Schema { columns: vec![column], ..Schema::default() }.cells(&[seconds]).concat()
}

/// Year, month and day, and hour, minute and second.
fn parts(seconds: f64) -> Option<[[u32; 3]; 2]> {
    let text = iso(seconds);
    let (date, time) = match text.split_once(' ') {
        Some((date, time)) => (date, time),
        // The first day of 1970 is a time alone.
        None if text.contains(':') => ("1970-01-01", &text[..]),
        None => (&text[..], "00:00:00"),
    };
    let three = |text: &str, mark: char| {
        let numbers: Option<Vec<u32>> = text.split(mark).map(|it| it.parse().ok()).collect();
        numbers?.try_into().ok()
    };
    Some([three(date, '-')?, three(time, ':')?])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1,704,153,600 s is 2024-01-02, a day has 86,400.
    #[test]
    fn formats_by_hand() {
        let (one, other) = (1_704_153_600.0, 1_704_153_600.0 + 30.0 * 86_400.0);
        let after = one + 45_296.0; // 12:34:56
        for (texts, expected) in [
            (["2024-01-02", "2024-02-01"], "2024-01-03"),
            (["02.01.2024", "01.02.2024"], "03.01.2024"),
            (["2.1.2024", "1.2.2024"], "3.1.2024"),
            (["01/02/2024", "02/01/2024"], "01/03/2024"),
            (["02/01/24", "01/02/24"], "03/01/24"),
            (["20240102", "20240201"], "20240103"),
            (["2024-01-02T00:00:00Z", "2024-02-01T00:00:00Z"], "2024-01-02T12:34:56Z"),
            (["02.01.2024 00:00", "01.02.2024 00:00"], "02.01.2024 12:35"),
        ] {
            let known = [(one, texts[0].to_owned()), (other, texts[1].to_owned())];
            let format = DateFormat::of(&known).unwrap();
            assert_eq!(format.text(after), expected, "{format:?}");
        }
        let times = [(3600.0, "01:00".to_owned()), (60.0, "00:01".to_owned())];
        assert_eq!(DateFormat::of(&times).unwrap().text(7261.0), "02:01");
        let odd = [(one, "2024-01-02".to_owned()), (other, "1 Feb 2024".to_owned())];
        assert_eq!((DateFormat::of(&odd), DateFormat::of(&[])), (None, None));
        assert_eq!(DateFormat("D.M.Y".into()).text(1e300), iso(1e300));
    }
}
