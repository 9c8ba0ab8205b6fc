//! Dates and times of day as numbers.

/// The order of day and month in dates such as 01/02/2020.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// 31/12/2020
    #[default]
    DayFirst,
    /// 12/31/2020
    MonthFirst,
}

/// The seconds since the start of 1970 of a date, in UTC without a time zone, with or without a time:
/// 2020-12-31, 2020-12-31T23:59:59.5+01:00, 31.12.2020 23:59, 12/31/2020. For a time without a date,
/// the seconds since midnight.
pub(super) fn seconds(cell: &str, order: Order) -> Option<f64> {
    if !cell.starts_with(|letter: char| letter.is_ascii_digit()) || cell.len() > 40 {
        return None;
    }
    let (date, time) = match cell.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time.trim())),
        None if cell.contains(':') => return time_of_day(cell),
        None => (cell, None),
    };
    let days = days(date, order)?;
    let seconds = time.map_or(Some(0.0), with_zone)?;
    Some(days as f64 * 86_400.0 + seconds)
}

/// The order of day and month that a date shows, if it shows any. `None` if it is no such date.
pub(super) fn order(cell: &str) -> Option<Option<Order>> {
    let date = cell.split(['T', ' ']).next()?;
    let [first, second, _] = numbers(date, &['/', '-', '.'])?;
    days(date, Order::DayFirst).or_else(|| days(date, Order::MonthFirst))?;
    Some(match (first, second) {
        (13.., _) => Some(Order::DayFirst),
        (_, 13..) => Some(Order::MonthFirst),
        _ if date.contains('.') || first == second => Some(Order::DayFirst),
        _ => None,
    })
}

fn numbers(date: &str, marks: &[char]) -> Option<[u32; 3]> {
    let mark = date.chars().find(|letter| marks.contains(letter))?;
    let mut parts = date.split(mark).map(|part| {
        let digits = part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits { part.parse().ok() } else { None }
    });
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

fn days(date: &str, order: Order) -> Option<i64> {
    let [first, second, third] = numbers(date, &['/', '-', '.'])?;
    let year_is_first = date.find(|letter: char| !letter.is_ascii_digit())? == 4;
    let year_is_last = date.rsplit(|letter: char| !letter.is_ascii_digit()).next()?.len() == 4;
    let (year, month, day) = match order {
        _ if year_is_first => (first, second, third),
        _ if !year_is_last => return None,
        Order::DayFirst => (third, second, first),
        Order::MonthFirst => (third, first, second),
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years begin in March, so that the leap day is the last day of a year.
    let (year, month) = (i64::from(year) - i64::from(month <= 2), i64::from((month + 9) % 12));
    let in_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    Some(
        year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + in_year
            - 719_468,
    )
}

/// The inverse of [`seconds`], to the whole second: a time on the first day of 1970, else a date, with its
/// time unless that is midnight. A number that is no date stays a number.
pub(crate) fn text(seconds: f64) -> String {
    let rounded = seconds.round();
    if rounded.is_nan() || rounded.abs() > 1e14 {
        return seconds.to_string();
    }
    let (day, second) = ((rounded as i64).div_euclid(86_400), (rounded as i64).rem_euclid(86_400));
    let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    if day == 0 {
        return time;
    }
    // Years begin in March, so that the leap day is the last of one; 400 of them have 146,097 days.
    let day = day + 719_468;
    let (era, in_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let date = in_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    match second {
        0 => format!("{year:04}-{month:02}-{date:02}"),
        _ => format!("{year:04}-{month:02}-{date:02} {time}"),
    }
}

fn with_zone(time: &str) -> Option<f64> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return time_of_day(time);
    }
    let Some(at) = time.rfind(['+', '-']) else {
        return time_of_day(time);
    };
    let (zone, sign) = (&time[at + 1..], if time[at..].starts_with('-') { -1.0 } else { 1.0 });
    let (hours, minutes) = match zone.split_once(':') {
        Some(parts) => parts,
        None if zone.len() == 4 => zone.split_at_checked(2)?,
        None => (zone, "0"),
    };
    let ahead =
        hours.parse::<u8>().ok()? as f64 * 3600.0 + minutes.parse::<u8>().ok()? as f64 * 60.0;
    Some(time_of_day(time[..at].trim_end())? - sign * ahead)
}

fn time_of_day(time: &str) -> Option<f64> {
    let mut parts = time.split(':');
    let whole = |part: &str, below: u32| {
        let digits =
            (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u32>().ok().filter(|value| digits && *value < below)
    };
    let hours = whole(parts.next()?, 25)?;
    let minutes = parts.next().filter(|minutes| minutes.len() == 2);
    let minutes = whole(minutes?, 60)?;
    let seconds = match parts.next() {
        None => 0.0,
        Some(seconds) if seconds.starts_with(|letter: char| letter.is_ascii_digit()) => seconds
            .replace(',', ".")
            .parse::<f64>()
            .ok()
            .filter(|value| (0.0..61.0).contains(value))?,
        Some(_) => return None,
    };
    parts.next().is_none().then(|| f64::from(hours * 3600 + minutes * 60) + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_they_are_read() {
        for cell in [
            "1970-01-02",
            "1969-12-31",
            "2020-12-31",
            "2000-02-29",
            "1900-02-28",
            "1900-03-01",
            "2100-03-01",
            "0001-01-01",
            "2020-12-31 23:59:59",
            "10:30:00",
        ] {
            assert_eq!(text(seconds(cell, Order::DayFirst).unwrap()), cell);
        }
        assert_eq!(text(f64::NAN), "NaN");
        // Every day of 800 years.
        for day in -146_097..146_097 {
            let written = text(f64::from(day) * 86_400.0 + 1.0);
            let read = seconds(&written, Order::DayFirst);
            assert_eq!(read, Some(f64::from(day) * 86_400.0 + 1.0), "{written}");
        }
    }

    #[test]
    fn dates_of_all_formats() {
        let new_year_eve = 1_609_372_800.0; // date -u -d 2020-12-31 +%s
        for (cell, expected) in [
            ("1970-01-01", 0.0),
            ("2020-12-31", new_year_eve),
            ("2020/12/31", new_year_eve),
            ("31.12.2020", new_year_eve),
            ("31/12/2020 00:01", new_year_eve + 60.0),
            ("2020-12-31T23:59:59.5", new_year_eve + 86_399.5),
            ("2020-12-31 01:00:00+01:00", new_year_eve),
            ("2020-12-30T22:30:00-0130", new_year_eve),
            ("2020-12-31T00:00Z", new_year_eve),
            ("2000-02-29", 951_782_400.0),
            ("10:30", 37_800.0),
        ] {
            assert_eq!(seconds(cell, Order::DayFirst), Some(expected), "{cell}");
        }
        assert_eq!(seconds("12/31/2020", Order::MonthFirst), Some(new_year_eve));
        for cell in
            ["2020-13-01", "2021-02-29", "1.2.3", "5:99", "1:2", "2020", "12-34", "20-12-31", "x"]
        {
            assert_eq!(seconds(cell, Order::DayFirst), None, "{cell}");
        }
    }

    #[test]
    fn order_of_day_and_month_by_hand() {
        assert_eq!(order("31/12/2020"), Some(Some(Order::DayFirst)));
        assert_eq!(order("12/31/2020 10:00"), Some(Some(Order::MonthFirst)));
        assert_eq!(order("01/02/2020"), Some(None));
        assert_eq!(order("01.02.2020"), Some(Some(Order::DayFirst)));
        assert_eq!(order("12.5"), None);
    }
}
