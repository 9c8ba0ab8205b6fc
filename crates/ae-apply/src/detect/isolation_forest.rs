//! Isolation forest.

use chacha20::ChaCha8Rng;
use rand::seq::index::sample;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

/// Trees, as in the paper and in scikit-learn.
const TREES: usize = 100;

/// Rows that a tree is grown from, at most.
const SAMPLE: usize = 256;

/// The seed of all forests: a forest is a function of its rows.
const SEED: u64 = 0;

/// Euler's constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// Random trees whose leaves isolate rows: an unusual row is isolated after few splits (Liu, Ting & Zhou, "Isolation
/// forest", ICDM 2008, doi 10.1109/ICDM.2008.17). A tree is grown from 256 rows drawn without replacement; a node splits by
/// a random feature that varies there, at a random value between its least and its largest, until rows are equal or
/// alone, or the depth is the logarithm of the sample. With the mean depth `E[h]` of the leaves that a row falls into, the
/// score is
///
/// `s(x) = 2^(-E[h(x)] / c(m))`,  `c(m) = 2 (ln(m - 1) + 0.5772) - 2 (m - 1) / m`,
///
/// where `m` rows are in a sample, and a leaf of `n` rows adds `c(n)` to its depth.
#[derive(Clone, Debug)]
pub(super) struct IsolationForest {
    trees: Vec<Vec<Node>>,
    width: usize,
    /// `c(m)`
    scale: f64,
}

/// A node, in a list of which the first is the root.
#[derive(Clone, Debug)]
enum Node {
    /// Rows below the value go to the first child, the others to the second.
    Split { feature: usize, value: f32, children: [usize; 2] },
    /// The depth, with what is added for several rows.
    Leaf(f64),
}

impl IsolationForest {
    /// Grows the trees from rows of `width` features, of which there is at least one.
    pub(super) fn fit(rows: &[f32], width: usize) -> Self {
        let count = rows.len() / width;
        let size = count.min(SAMPLE);
        let most = (size as f64).log2().ceil() as usize;
        let grow = |number: u64| {
            let mut generator = ChaCha8Rng::seed_from_u64(SEED);
            generator.set_stream(number);
            let drawn = sample(&mut generator, count, size).into_vec();
            let drawn = drawn.into_iter().map(|row| &rows[row * width..(row + 1) * width]);
            let mut tree = vec![];
            let mut drawn: Vec<&[f32]> = drawn.collect();
            split(&mut tree, &mut drawn, 0, most, &mut generator);
            tree
        };
        let trees = (0..TREES as u64).into_par_iter().map(grow).collect();
        Self { trees, width, scale: path_length(size) }
    }

    /// The scores of rows.
    pub(super) fn score(&self, rows: &[f32]) -> Vec<f64> {
        rows.par_chunks_exact(self.width)
            .map(|row| {
                let depths = self.trees.iter().map(|tree| depth(tree, row));
                let mean = depths.sum::<f64>() / TREES as f64;
                // A forest of one row isolates everything at once.
                if self.scale == 0.0 { 0.5 } else { 2f64.powf(-mean / self.scale) }
            })
            .collect()
    }
}

/// Adds the node of these rows and all below it; returns its place.
fn split(
    tree: &mut Vec<Node>,
    rows: &mut [&[f32]],
    depth: usize,
    most: usize,
    generator: &mut ChaCha8Rng,
) -> usize {
    let place = tree.len();
    let leaf = Node::Leaf(depth as f64 + path_length(rows.len()));
    tree.push(leaf);
    if rows.len() < 2 || depth == most {
        return place;
    }
    let range = |feature: usize| {
        rows.iter().fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], row| {
            [low.min(row[feature]), high.max(row[feature])]
        })
    };
    let varying = (0..rows[0].len()).map(|feature| (feature, range(feature)));
    let varying: Vec<_> = varying.filter(|(_, [low, high])| low < high).collect();
    if varying.is_empty() {
        return place;
    }
    let (feature, [low, high]) = varying[generator.random_range(0..varying.len())];
    let drawn = f64::from(low) + generator.random::<f64>() * (f64::from(high) - f64::from(low));
    // Above the least, so that both children have rows.
    let value = (drawn as f32).clamp(low.next_up(), high);
    rows.sort_by(|a, b| a[feature].total_cmp(&b[feature]));
    let middle = rows.partition_point(|row| row[feature] < value);
    let (below, above) = rows.split_at_mut(middle);
    let first = split(tree, below, depth + 1, most, generator);
    let second = split(tree, above, depth + 1, most, generator);
    tree[place] = Node::Split { feature, value, children: [first, second] };
    place
}

/// The mean depth at which a search in a binary tree of `count` rows fails.
fn path_length(count: usize) -> f64 {
    match count {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => {
            let before = count as f64 - 1.0;
            2.0 * (before.ln() + EULER) - 2.0 * before / count as f64
        }
    }
}

fn depth(tree: &[Node], row: &[f32]) -> f64 {
    let mut node = &tree[0];
    loop {
        match node {
            Node::Leaf(depth) => return *depth,
            Node::Split { feature, value, children } => {
                node = &tree[children[usize::from(row[*feature] >= *value)]];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// c(3) = 2 (ln 2 + 0.577216) - 4 / 3 = 1.207392; c(256) = 2 (ln 255 + 0.577216) - 510 / 256 = 10.244771.
    #[test]
    fn path_lengths_by_hand() {
        assert_eq!([0, 1, 2].map(path_length), [0.0, 0.0, 1.0]);
        assert!((path_length(3) - 1.207_392).abs() < 1e-6);
        assert!((path_length(256) - 10.244_771).abs() < 1e-6);
    }

    /// Of two rows, each is alone after one split: h = 1 and c(2) = 1, so both have the score 1/2, and so has any row.
    /// Of equal rows no split is possible: h = c(3) of c(3), 1/2 again.
    #[test]
    fn scores_by_hand() {
        let two = IsolationForest::fit(&[0.0, 1.0, 4.0, 1.0], 2);
        assert_eq!(two.score(&[0.0, 1.0, 4.0, 1.0, 99.0, -7.0]), [0.5; 3]);
        assert!(two.trees.iter().all(|tree| matches!(tree[0], Node::Split { feature: 0, .. })));
        let equal = IsolationForest::fit(&[3.0; 3], 1).score(&[3.0, 8.0]);
        assert!(equal.iter().all(|score| (score - 0.5).abs() < 1e-12), "{equal:?}");
        assert_eq!(IsolationForest::fit(&[3.0], 1).score(&[8.0]), [0.5]);
    }

    /// A row far from 1,000 others, above the 0.6 that the paper takes for a possible anomaly.
    #[test]
    fn an_outlier_is_isolated_first() {
        let mut rows: Vec<f32> = (0..2000).map(|i| (i as f32 * 0.7).sin()).collect();
        rows.extend([9.0, -9.0]);
        let forest = IsolationForest::fit(&rows, 2);
        let scores = forest.score(&rows);
        let most = scores[..1000].iter().copied().fold(0.0, f64::max);
        assert!(scores[1000] > most && scores[1000] > 0.6, "{} {most}", scores[1000]);
        assert_eq!(IsolationForest::fit(&rows, 2).score(&rows), scores);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Scores are in (0, 1], whatever the rows are; trees are no deeper than the logarithm of the sample.
        #[test]
        fn any_rows_have_scores(rows in prop::collection::vec(prop_oneof![
            Just(0.0f32), Just(f32::MIN_POSITIVE), Just(f32::MAX), Just(f32::MIN), -3.0f32..3.0,
        ], 2..400)) {
            let rows = &rows[..rows.len() / 2 * 2];
            let forest = IsolationForest::fit(rows, 2);
            prop_assert!(forest.score(rows).iter().all(|score| *score > 0.0 && *score <= 1.0));
        }
    }
}
