//! Measures of a ranking.

use super::Neighbour;

/// The share of the `k` nearest codes that a search found: mean over queries of
/// `|found_k and exact_k| / |exact_k|`. `None` without queries.
///
/// # Panics
/// If there are not as many lists of one as of the other.
pub fn recall_at(k: usize, found: &[Vec<Neighbour>], exact: &[Vec<Neighbour>]) -> Option<f64> {
    assert_eq!(found.len(), exact.len(), "a list for each query");
    let share = |(found, exact): (&Vec<Neighbour>, &Vec<Neighbour>)| {
        let exact: Vec<usize> = exact.iter().take(k).map(|it| it.row).collect();
        let hits = found.iter().take(k).filter(|it| exact.contains(&it.row)).count();
        hits as f64 / exact.len().max(1) as f64
    };
    mean(found.iter().zip(exact).map(share))
}

/// The share of the first `k` of a ranking that are relevant: `sum_{i <= k} relevant_i / k`. A query that is itself
/// in the gallery has to be left out before.
///
/// # Panics
/// If `k` is 0.
pub fn precision_at(k: usize, relevant: impl IntoIterator<Item = bool>) -> f64 {
    assert!(k > 0, "at least one");
    relevant.into_iter().take(k).filter(|it| *it).count() as f64 / k as f64
}

/// The average precision of a whole ranking: the mean, over the relevant ones, of the precision up to each,
/// `AP = 1/R sum_i relevant_i (sum_{j <= i} relevant_j) / i` with `R = sum_i relevant_i`. `None` if nothing is
/// relevant. Its mean over queries is mAP.
pub fn average_precision(relevant: impl IntoIterator<Item = bool>) -> Option<f64> {
    let (mut hits, mut sum) = (0usize, 0.0);
    for (place, _) in relevant.into_iter().enumerate().filter(|(_, relevant)| *relevant) {
        hits += 1;
        sum += hits as f64 / (place + 1) as f64;
    }
    (hits > 0).then(|| sum / hits as f64)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relevant at places 1, 3 and 4: (1/1 + 2/3 + 3/4) / 3 = 29/36.
    #[test]
    fn average_precision_by_hand() {
        let found = average_precision([true, false, true, true, false]).unwrap();
        assert!((found - 29.0 / 36.0).abs() < 1e-12);
        assert_eq!(average_precision([true, true]), Some(1.0));
        assert_eq!(average_precision([false]), None);
    }

    /// Of the first 2 one is relevant; of the first 4, two; a short ranking has misses beyond its end.
    #[test]
    fn precision_by_hand() {
        let relevant = [true, false, false, true];
        assert_eq!(precision_at(2, relevant), 0.5);
        assert_eq!(precision_at(4, relevant), 0.5);
        assert_eq!(precision_at(8, relevant), 0.25);
    }

    /// The first query: 1 of 2 found; the second: both.
    #[test]
    fn recall_by_hand() {
        let list = |rows: &[usize]| -> Vec<Neighbour> {
            rows.iter().map(|row| Neighbour { row: *row, distance: 0.0 }).collect()
        };
        let found = [list(&[4, 9, 1]), list(&[2, 3])];
        let exact = [list(&[4, 1]), list(&[3, 2])];
        assert_eq!(recall_at(2, &found, &exact), Some(0.75));
        assert_eq!(recall_at(2, &[], &[]), None);
    }
}
