//! Quantiles of more values than fit into memory, by counting them.

use std::collections::HashMap;

use crate::{Result, Samples};

/// The most distinct values of a group that are counted one by one, such as the 256 of bytes.
const DISTINCT: usize = 1 << 12;

/// The groups that are counted at a time. Each takes up to 6 x 2^16 counts.
const AT_ONCE: usize = 16;

/// The bits that are counted at a time.
const BITS: u32 = 16;

/// The ranks of the values that the quartiles of `count` values lie between.
pub(super) fn ranks(count: usize) -> [usize; 6] {
    let mut ranks = [0; 6];
    for (pair, fraction) in ranks.chunks_exact_mut(2).zip([0.25, 0.5, 0.75]) {
        let place = fraction * count.saturating_sub(1) as f64;
        pair.copy_from_slice(&[place.floor() as usize, place.ceil() as usize]);
    }
    ranks
}

/// The values at the [`ranks`] of each group of adjacent features, exactly as after sorting; `None` of a
/// group without values. `counts` are the values of the groups that are not missing.
pub(super) fn at_ranks(samples: &Samples, counts: &[usize]) -> Result<Vec<Option<[f64; 6]>>> {
    let neighbours = samples.width() / counts.len();
    let mut found = vec![];
    for (chunk, counts) in counts.chunks(AT_ONCE).enumerate() {
        let first = chunk * AT_ONCE * neighbours;
        let each = |visit: &mut dyn FnMut(usize, u64)| -> Result<()> {
            samples.each_raw_row(|_, row| {
                let groups = row[first..].chunks_exact(neighbours).take(counts.len());
                for (group, values) in groups.enumerate() {
                    let there = values.iter().filter(|value| !value.is_nan());
                    there.for_each(|value| visit(group, key(*value)));
                }
            })
        };
        found.extend(of_keys(each, counts)?);
    }
    Ok(found)
}

/// Calls a function with the group and the key of each value.
trait Each: Fn(&mut dyn FnMut(usize, u64)) -> Result<()> {}

impl<T: Fn(&mut dyn FnMut(usize, u64)) -> Result<()>> Each for T {}

fn of_keys(each: impl Each, counts: &[usize]) -> Result<Vec<Option<[f64; 6]>>> {
    let mut distinct: Vec<HashMap<u64, usize>> = vec![HashMap::new(); counts.len()];
    each(&mut |group, key| {
        let distinct = &mut distinct[group];
        if distinct.len() <= DISTINCT {
            *distinct.entry(key).or_default() += 1;
        }
    })?;
    let mut found: Vec<[u64; 6]> = vec![[0; 6]; counts.len()];
    let mut many = vec![];
    for (group, distinct) in distinct.into_iter().enumerate() {
        if distinct.len() > DISTINCT {
            many.push(group);
            continue;
        }
        let mut sorted: Vec<(u64, usize)> = distinct.into_iter().collect();
        sorted.sort_unstable();
        for (key, rank) in found[group].iter_mut().zip(ranks(counts[group])) {
            let mut left = rank;
            *key = place(&mut left, sorted.iter().copied()).unwrap_or_default();
        }
    }
    if !many.is_empty() {
        by_digits(&each, counts, &many, &mut found)?;
    }
    let values = |(keys, count): ([u64; 6], &usize)| (*count > 0).then(|| keys.map(value));
    Ok(found.into_iter().zip(counts).map(values).collect())
}

/// Finds the keys of groups digit by digit, from the highest: counts the next digit of the keys that begin
/// with the digits found so far.
fn by_digits(
    each: &impl Each,
    counts: &[usize],
    groups: &[usize],
    found: &mut [[u64; 6]],
) -> Result<()> {
    let mut left: Vec<[usize; 6]> = counts.iter().map(|count| ranks(*count)).collect();
    for shift in [3 * BITS, 2 * BITS, BITS, 0] {
        // The digits above; none at first.
        let above = |key: u64| key.checked_shr(shift + BITS).unwrap_or(0);
        let mut digits: HashMap<(usize, u64), Vec<usize>> = HashMap::new();
        for group in groups {
            for key in found[*group] {
                digits.entry((*group, above(key))).or_insert_with(|| vec![0; 1 << BITS]);
            }
        }
        each(&mut |group, key| {
            if let Some(counts) = digits.get_mut(&(group, above(key))) {
                counts[(key >> shift) as usize & ((1 << BITS) - 1)] += 1;
            }
        })?;
        for group in groups {
            for (key, left) in found[*group].iter_mut().zip(&mut left[*group]) {
                let counts = &digits[&(*group, above(*key))];
                let digit = place(left, (0..).zip(counts.iter().copied())).unwrap_or_default();
                *key |= digit << shift;
            }
        }
    }
    Ok(())
}

/// The first of counted keys of which more than `rank` come before its end; takes those before it off
/// `rank`.
fn place(rank: &mut usize, counted: impl Iterator<Item = (u64, usize)>) -> Option<u64> {
    for (key, count) in counted {
        match rank.checked_sub(count) {
            Some(rest) => *rank = rest,
            None => return Some(key),
        }
    }
    None
}

/// Bits in the order of the numbers, as [`f64::total_cmp`] has it.
fn key(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn value(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use proptest::prelude::*;

    fn sorted(samples: &Samples, groups: usize) -> Vec<Option<[f64; 6]>> {
        let neighbours = samples.width() / groups;
        let group = |at: usize| {
            let rows = (0..samples.len()).map(|row| samples.raw_row(row));
            let values = rows.flat_map(|row| row[at * neighbours..(at + 1) * neighbours].to_vec());
            let mut values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
            values.sort_by(f64::total_cmp);
            (!values.is_empty()).then(|| ranks(values.len()).map(|rank| values[rank]))
        };
        (0..groups).map(group).collect()
    }

    fn counts(samples: &Samples, groups: usize) -> Vec<usize> {
        let neighbours = samples.width() / groups;
        let missing = |row: usize| samples.missing_in(row);
        let known = |at: usize| {
            let rows = (0..samples.len()).map(missing);
            let of_group = rows.map(|row| {
                row[at * neighbours..(at + 1) * neighbours].iter().filter(|it| !**it).count()
            });
            of_group.sum()
        };
        (0..groups).map(known).collect()
    }

    #[test]
    fn many_distinct_values_and_few_are_those_of_sorting() {
        let rows = DISTINCT + 900;
        // A wave with nearly all values distinct, a few integers, a column without values, and far numbers.
        let cell = |at: usize| match (at % 19, at / 19) {
            (2, _) => f64::NAN,
            (18, row) => 1.7e9 + (row as f64 * 0.7).sin(),
            (column, row) if column % 3 == 0 => {
                ((row * 7 + column) as f64 * 0.37).sin() * 1e3 - 200.0
            }
            (column, row) => ((row * 31 + column) % 11) as f64 - 5.0,
        };
        let values: Vec<f64> = (0..rows * 19).map(cell).collect();
        let samples = Samples::from_cells(values, Shape::table(19)).unwrap();
        let found = at_ranks(&samples, &counts(&samples, 19)).unwrap();
        assert_eq!(found, sorted(&samples, 19));
        assert!(found[2].is_none() && found[18].is_some());
    }

    #[test]
    fn pixels_are_counted_for_each_channel() {
        let pixels = (0..20 * 3 * 6).map(|at: usize| (at * 97 % 251) as u8).collect();
        let samples = Samples::from_bytes(pixels, Shape::image(3, 2, 3)).unwrap();
        assert_eq!(at_ranks(&samples, &[120; 3]).unwrap(), sorted(&samples, 3));
    }

    proptest! {
        #[test]
        fn keys_have_the_order_of_numbers(a: f64, b: f64) {
            prop_assert_eq!(key(a).cmp(&key(b)), a.total_cmp(&b));
            prop_assert_eq!(value(key(a)).to_bits(), a.to_bits());
        }

        #[test]
        fn digits_find_what_sorting_does(values in prop::collection::vec(-1e9f64..1e9, 1..60)) {
            let keys: Vec<u64> = values.iter().map(|value| key(*value)).collect();
            let each = |visit: &mut dyn FnMut(usize, u64)| {
                keys.iter().for_each(|key| visit(0, *key));
                Ok(())
            };
            let mut found = [[0; 6]];
            by_digits(&each, &[values.len()], &[0], &mut found).unwrap();
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            prop_assert_eq!(found[0].map(value), ranks(values.len()).map(|rank| sorted[rank]));
        }
    }
}
