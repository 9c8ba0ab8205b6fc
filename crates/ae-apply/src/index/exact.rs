//! Exact neighbours: products of matrices in blocks, and the best of each row.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use burn::tensor::{DType, Device, Tensor, TensorData};
use rayon::prelude::*;

use super::Codes;
use crate::{Error, Result};

/// How far two codes are apart.
///
/// | metric | distance of `q` and `g` |
/// |---|---|
/// | Euclidean | `sqrt(sum_j (q_j - g_j)^2)` |
/// | cosine | `1 - q g / (|q| |g|)`, 1 if one of them is 0 |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The length of the difference.
    #[default]
    Euclidean,
    /// By the angle between the codes.
    Cosine,
}

impl Metric {
    /// The distance of two codes, summed in f64.
    ///
    /// # Panics
    /// If their widths differ.
    pub fn distance(self, a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len(), "codes of one width");
        let sum = |f: fn(f64, f64) -> f64| -> f64 {
            a.iter().zip(b).map(|(a, b)| f(f64::from(*a), f64::from(*b))).sum()
        };
        match self {
            Self::Euclidean => sum(|a, b| (a - b).powi(2)).sqrt() as f32,
            Self::Cosine => {
                let lengths = (sum(|a, _| a * a) * sum(|_, b| b * b)).sqrt();
                let cosine = if lengths > 0.0 { sum(|a, b| a * b) / lengths } else { 0.0 };
                (1.0 - cosine).max(0.0) as f32
            }
        }
    }

    /// Queries and codes whose products say how near they are. Euclidean distances do not change when the mean of
    /// the codes is subtracted, and the rounding of a product is relative to the lengths: rows about (1e4, 1e4)
    /// would be ordered by it.
    fn prepared(self, queries: &Codes, gallery: &Codes) -> (Codes, Codes) {
        match self {
            Self::Euclidean => {
                let center = gallery.mean();
                (queries.centered(&center), gallery.centered(&center))
            }
            Self::Cosine => (queries.normalized(), gallery.normalized()),
        }
    }

    /// What is subtracted from the product with each code: `|q - g|^2 = |q|^2 - 2 (q g - |g|^2 / 2)`.
    fn offsets(self, gallery: &Codes) -> Vec<f32> {
        match self {
            Self::Euclidean => {
                let half =
                    |row: &[f32]| 0.5 * row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
                gallery.rows().map(|row| half(row) as f32).collect()
            }
            Self::Cosine => vec![0.0; gallery.len()],
        }
    }
}

impl std::str::FromStr for Metric {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "euclidean" => Ok(Self::Euclidean),
            "cosine" => Ok(Self::Cosine),
            _ => Err("expected euclidean or cosine".to_owned()),
        }
    }
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Euclidean => "euclidean",
            Self::Cosine => "cosine",
        })
    }
}

/// A code that was found.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Neighbour {
    /// Its row.
    pub row: usize,
    /// Its distance.
    pub distance: f32,
}

/// Queries that are multiplied at once.
const QUERIES: usize = 256;
/// Codes that they are multiplied with at once: the product takes 8 MiB.
const BLOCK: usize = 8192;
/// Candidates beyond `count` whose distance is computed again: a product in f32 orders codes of nearly the same
/// distance by its rounding. Where these are too few to be certain, all distances of the query are computed.
const SPARE: usize = 8;

/// For each query its `count` nearest codes, the nearest first, and of equally near ones the first; all codes
/// where there are fewer.
///
/// All products are computed, a block at a time: 10,000 queries among 60,000 codes of 32 numbers take 1 to 2 seconds
/// on 2 cores. The distances of what is found are computed again in f64, and where the rounding of the products
/// could hide a nearer code, those of all codes are: nothing is missed.
///
/// ```
/// use ae_apply::index::{Codes, Metric, nearest};
/// use burn::tensor::Device;
///
/// let gallery = Codes::new(vec![0.0, 0.0, 3.0, 4.0, 0.0, 1.0], 2)?;
/// let queries = Codes::new(vec![0.0, 0.0], 2)?;
/// let found = nearest(&queries, &gallery, 2, Metric::Euclidean, &Device::flex())?;
/// assert_eq!((found[0][1].row, found[0][1].distance), (2, 1.0));
/// # Ok::<(), ae_apply::Error>(())
/// ```
///
/// # Errors
/// If `count` is 0, there is no code, or the widths differ.
pub fn nearest(
    queries: &Codes,
    gallery: &Codes,
    count: usize,
    metric: Metric,
    device: &Device,
) -> Result<Vec<Vec<Neighbour>>> {
    if count == 0 {
        return Err(Error::setting("neighbours", "at least 1", count));
    }
    let search = Search::new(queries, gallery, metric)?;
    let kept = count.saturating_add(SPARE).min(gallery.len());
    let mut best: Vec<Best> = (0..queries.len()).map(|_| Best::new(kept)).collect();
    search.for_each_block(device, &mut best, |best, _, start, row, offsets| {
        best.scan(start, row, offsets);
    })?;
    let finish = |(query, best): (usize, Best)| {
        let dropped = (best.heap.len() < gallery.len()).then(|| best.least());
        let mut found = exactly(best.rows(), queries.row(query), gallery, metric);
        found.truncate(count);
        let farthest = found.last().map_or(f32::INFINITY, |it| it.distance);
        let is_certain = dropped.is_none_or(|product| {
            search.product(query, farthest) > f64::from(product) + search.rounding(query)
        });
        if !is_certain {
            found = exactly((0..gallery.len()).collect(), queries.row(query), gallery, metric);
            found.truncate(count);
        }
        found
    };
    Ok(best.into_par_iter().enumerate().map(finish).collect())
}

/// For each query every code at most `distance` away, the nearest first.
///
/// # Errors
/// If the distance is negative or not a number, there is no code, or the widths differ.
pub fn within(
    queries: &Codes,
    gallery: &Codes,
    distance: f32,
    metric: Metric,
    device: &Device,
) -> Result<Vec<Vec<Neighbour>>> {
    if distance.is_nan() || distance < 0.0 {
        return Err(Error::setting("distance", "a number from 0", distance));
    }
    let search = Search::new(queries, gallery, metric)?;
    let mut found: Vec<Vec<usize>> = vec![Vec::new(); queries.len()];
    search.for_each_block(device, &mut found, |found, query, start, row, offsets| {
        let least = (search.product(query, distance) - search.rounding(query)) as f32;
        let rows = row.iter().zip(offsets).enumerate();
        let near = rows.filter(|(_, (product, offset))| *product - *offset >= least);
        found.extend(near.map(|(at, _)| start + at));
    })?;
    let finish = |(query, rows): (usize, Vec<usize>)| {
        let mut found = exactly(rows, queries.row(query), gallery, metric);
        found.retain(|it| it.distance <= distance);
        found
    };
    Ok(found.into_par_iter().enumerate().map(finish).collect())
}

fn length_squared(row: &[f32]) -> f64 {
    row.iter().map(|value| f64::from(*value).powi(2)).sum()
}

/// These rows by their distance in f64, the nearest first.
fn exactly(rows: Vec<usize>, query: &[f32], gallery: &Codes, metric: Metric) -> Vec<Neighbour> {
    let distance = |row| Neighbour { row, distance: metric.distance(query, gallery.row(row)) };
    let mut found: Vec<Neighbour> = rows.into_iter().map(distance).collect();
    found.sort_by(|a, b| a.distance.total_cmp(&b.distance).then(a.row.cmp(&b.row)));
    found
}

/// Queries and codes, prepared for products.
struct Search {
    metric: Metric,
    queries: Codes,
    gallery: Codes,
    offsets: Vec<f32>,
    /// The length of the longest code.
    longest: f64,
}

impl Search {
    fn new(queries: &Codes, gallery: &Codes, metric: Metric) -> Result<Self> {
        if gallery.is_empty() {
            return Err(Error::setting("index", "at least one code", "none"));
        }
        if queries.width() != gallery.width() {
            let expected = format!("{} numbers, as the index has", gallery.width());
            return Err(Error::setting("query", expected, queries.width()));
        }
        let (queries, gallery) = metric.prepared(queries, gallery);
        let offsets = metric.offsets(&gallery);
        let longest = gallery.rows().map(length_squared).fold(0.0, f64::max).sqrt();
        Ok(Self { metric, queries, gallery, offsets, longest })
    }

    /// The product, less its offset, of a query and a code at this distance.
    fn product(&self, query: usize, distance: f32) -> f64 {
        let distance = f64::from(distance);
        match self.metric {
            Metric::Euclidean => 0.5 * (length_squared(self.queries.row(query)) - distance.powi(2)),
            Metric::Cosine => 1.0 - distance,
        }
    }

    /// How far a product in f32, summed in any order, is from the exact one at most, with the rounding of the
    /// distance: `(width + 16) 2^-24 (|q| + |g|)^2` (Higham 2002, section 3.1).
    fn rounding(&self, query: usize) -> f64 {
        let lengths = length_squared(self.queries.row(query)).sqrt() + self.longest;
        let terms = (self.gallery.width() + 16) as f64;
        terms * f64::from(f32::EPSILON) * 0.5 * lengths.powi(2)
    }

    /// Gives `take`, for each query, its value of `state`, its row, and for each block of codes their first row,
    /// their products with the query, and their offsets.
    fn for_each_block<T: Send>(
        &self,
        device: &Device,
        state: &mut [T],
        take: impl Fn(&mut T, usize, usize, &[f32], &[f32]) + Sync,
    ) -> Result<()> {
        let width = self.gallery.width();
        let tensor = |values: &[f32]| {
            let data = TensorData::new(values.to_vec(), [values.len() / width, width]);
            Tensor::<2>::from_data(data, (device, DType::F32))
        };
        for (start, block) in self.gallery.values().chunks(BLOCK * width).enumerate() {
            let (start, count) = (start * BLOCK, block.len() / width);
            let block = tensor(block).transpose();
            let offsets = &self.offsets[start..start + count];
            for (first, rows) in self.queries.values().chunks(QUERIES * width).enumerate() {
                let first = first * QUERIES;
                let products = tensor(rows).matmul(block.clone()).into_data();
                let products: Vec<f32> = products.try_into_vec().map_err(|error| {
                    Error::setting("products", "32-bit floats", format!("{error:?}"))
                })?;
                let at_once = products.len() / count;
                state[first..first + at_once]
                    .par_iter_mut()
                    .zip(products.par_chunks_exact(count))
                    .enumerate()
                    .for_each(|(at, (state, row))| take(state, first + at, start, row, offsets));
            }
        }
        Ok(())
    }
}

/// The codes with the largest products so far.
struct Best {
    kept: usize,
    /// The smallest product first, and of equal ones the last row.
    heap: BinaryHeap<Reverse<Candidate>>,
}

#[derive(PartialEq)]
struct Candidate {
    product: f32,
    row: usize,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.product.total_cmp(&other.product).then(other.row.cmp(&self.row))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Best {
    fn new(kept: usize) -> Self {
        Self { kept, heap: BinaryHeap::with_capacity(kept + 1) }
    }

    fn scan(&mut self, start: usize, products: &[f32], offsets: &[f32]) {
        const LANES: usize = 32;
        let mut least = self.least();
        for (at, (products, offsets)) in
            products.chunks(LANES).zip(offsets.chunks(LANES)).enumerate()
        {
            // A comparison of all lanes, which the compiler vectorises; hardly any chunk has one to keep.
            let any = products.iter().zip(offsets).fold(false, |any, (v, o)| any | (v - o > least));
            if !any {
                continue;
            }
            for (lane, (value, offset)) in products.iter().zip(offsets).enumerate() {
                let product = value - offset;
                if product > least {
                    self.heap.push(Reverse(Candidate { product, row: start + at * LANES + lane }));
                    if self.heap.len() > self.kept {
                        self.heap.pop();
                    }
                    least = self.least();
                }
            }
        }
    }

    /// The product that a further candidate has to exceed.
    fn least(&self) -> f32 {
        match self.heap.peek() {
            Some(Reverse(worst)) if self.heap.len() >= self.kept => worst.product,
            _ => f32::NEG_INFINITY,
        }
    }

    fn rows(self) -> Vec<usize> {
        self.heap.into_iter().map(|Reverse(it)| it.row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes(values: &[f32]) -> Codes {
        Codes::new(values.to_vec(), 2).unwrap()
    }

    fn rows(found: &[Neighbour]) -> Vec<usize> {
        found.iter().map(|it| it.row).collect()
    }

    /// From (3, 4): (0, 0) is 5 away, (6, 8) also 5, (3, 0) 4. By angle: (6, 8) has the same direction, (3, 0) has
    /// cosine 9 / 15 = 0.6, and (0, 0) none.
    #[test]
    fn distances_by_hand() {
        let gallery = codes(&[0.0, 0.0, 6.0, 8.0, 3.0, 0.0]);
        let found = |metric| {
            nearest(&codes(&[3.0, 4.0]), &gallery, 9, metric, &Device::flex()).unwrap().remove(0)
        };
        let euclidean = found(Metric::Euclidean);
        assert_eq!(rows(&euclidean), [2, 0, 1]);
        assert_eq!((euclidean[0].distance, euclidean[2].distance), (4.0, 5.0));
        let cosine = found(Metric::Cosine);
        assert_eq!(rows(&cosine), [1, 2, 0]);
        assert!((cosine[1].distance - 0.4).abs() < 1e-6 && cosine[2].distance == 1.0);
        let near = within(&codes(&[3.0, 4.0]), &gallery, 4.5, Metric::Euclidean, &Device::flex());
        assert_eq!(rows(&near.unwrap()[0]), [2]);
    }

    #[test]
    fn an_index_of_one_finds_it() {
        let one = codes(&[1e4, -3.0]);
        for metric in [Metric::Euclidean, Metric::Cosine] {
            let found = nearest(&one, &one, 5, metric, &Device::flex()).unwrap();
            assert_eq!((found[0].len(), found[0][0].row), (1, 0));
            assert!(found[0][0].distance < 1e-6);
        }
    }

    /// Rows far from 0 and near each other, many of them equally far: the products alone order them by rounding.
    #[test]
    fn rows_far_from_zero_and_ties_are_found() {
        let at = |row: usize| [1e4 + (row % 97) as f32 * 0.01, -3e4 - (row / 97) as f32 * 0.01];
        let near: Vec<f32> = (0..9000).flat_map(at).collect();
        // Two clusters: the mean of the codes is near neither.
        let far: Vec<f32> = (0..9000).flat_map(at).map(|value| -value).collect();
        let ties: Vec<f32> = (0..300).flat_map(|row| [(row % 3) as f32, 1.0]).collect();
        for gallery in [codes(&near), codes(&[near.clone(), far].concat()), codes(&ties)] {
            let queries = gallery.subset(&[0, gallery.len() / 2, gallery.len() - 1]);
            for metric in [Metric::Euclidean, Metric::Cosine] {
                let found = nearest(&queries, &gallery, 20, metric, &Device::flex()).unwrap();
                for (query, found) in queries.rows().zip(&found) {
                    let all = exactly((0..gallery.len()).collect(), query, &gallery, metric);
                    assert_eq!(found[..], all[..20]);
                    let reach = all[50].distance;
                    let one = Codes::new(query.to_vec(), 2).unwrap();
                    let within = within(&one, &gallery, reach, metric, &Device::flex()).unwrap();
                    let expected = all.iter().filter(|it| it.distance <= reach).count();
                    assert_eq!(within[0][..], all[..expected]);
                }
            }
        }
    }

    #[test]
    fn unsuitable_searches_are_refused() {
        let (two, three) = (codes(&[1.0, 2.0]), Codes::new(vec![1.0; 3], 3).unwrap());
        let message = |queries, gallery, count| {
            nearest(queries, gallery, count, Metric::Euclidean, &Device::flex())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(message(&two, &two, 0), "neighbours: expected at least 1, got 0");
        assert_eq!(message(&three, &two, 1), "query: expected 2 numbers, as the index has, got 3");
        assert_eq!(message(&two, &codes(&[]), 1), "index: expected at least one code, got none");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// The blocks find what sorting all distances finds.
        #[test]
        fn found_are_the_nearest(
            gallery in prop::collection::vec(-9i8..9, 2..120),
            query in prop::array::uniform2(-9i8..9),
            count in 1usize..9,
            cosine in any::<bool>(),
        ) {
            let even = gallery.len() / 2 * 2;
            let gallery = codes(&gallery[..even].iter().map(|v| f32::from(*v)).collect::<Vec<_>>());
            let query = codes(&query.map(f32::from));
            let metric = if cosine { Metric::Cosine } else { Metric::Euclidean };
            let found = nearest(&query, &gallery, count, metric, &Device::flex()).unwrap();
            let all = exactly((0..gallery.len()).collect(), query.row(0), &gallery, metric);
            let distances = |them: &[Neighbour]| -> Vec<f32> {
                them.iter().take(count).map(|it| it.distance).collect()
            };
            prop_assert_eq!(distances(&found[0]), distances(&all));
            prop_assert_eq!(rows(&found[0]), rows(&all[..found[0].len()]));
            let reach = all[all.len() / 2].distance;
            let near = within(&query, &gallery, reach, metric, &Device::flex()).unwrap();
            let expected: Vec<usize> =
                all.iter().filter(|it| it.distance <= reach).map(|it| it.row).collect();
            prop_assert_eq!(rows(&near[0]), expected);
        }
    }
}
