//! Binary codes, packed, and their ranking by Hamming distance.

use super::Codes;
use crate::{Error, Result};

/// The median of every number of the codes: as thresholds they give bits that are 1 for half of the codes
/// (Salakhutdinov & Hinton 2009, doi 10.1016/j.ijar.2008.11.006, take one threshold for all). Of an even number
/// of codes it is the mean of the two in the middle.
pub fn medians(codes: &Codes) -> Vec<f32> {
    let middle = |unit: usize| {
        let mut column: Vec<f32> = codes.rows().map(|row| row[unit]).collect();
        column.sort_by(f32::total_cmp);
        match column.len() {
            0 => 0.0,
            count if count % 2 == 1 => column[count / 2],
            count => 0.5 * (column[count / 2 - 1] + column[count / 2]),
        }
    };
    (0..codes.width()).map(middle).collect()
}

/// Rows of bits, packed in words of 64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinaryCodes {
    words: Vec<u64>,
    bits: usize,
}

impl BinaryCodes {
    /// Bit `j` of a code is 1 where number `j` is above its threshold.
    ///
    /// # Errors
    /// If there is not a threshold for each number.
    pub fn above(codes: &Codes, thresholds: &[f32]) -> Result<Self> {
        if thresholds.len() != codes.width() {
            let expected = format!("{}, one for each number of a code", codes.width());
            return Err(Error::setting("thresholds", expected, thresholds.len()));
        }
        let mut words = Vec::with_capacity(codes.len() * codes.width().div_ceil(64));
        for row in codes.rows() {
            for (values, thresholds) in row.chunks(64).zip(thresholds.chunks(64)) {
                let bits = values.iter().zip(thresholds).enumerate();
                words.push(bits.fold(0u64, |word, (at, (v, t))| word | (u64::from(v > t) << at)));
            }
        }
        Ok(Self { words, bits: codes.width() })
    }

    /// The bits of a code.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// The number of codes.
    pub fn len(&self) -> usize {
        self.words.len() / self.bits.div_ceil(64)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words of a code.
    pub fn row(&self, row: usize) -> &[u64] {
        let words = self.bits.div_ceil(64);
        &self.words[row * words..(row + 1) * words]
    }
}

/// The Hamming distance: the number of bits that differ.
pub(super) fn hamming(a: &[u64], b: &[u64]) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

/// Binary codes with the real-valued ones that they were made of, which break ties.
#[derive(Clone, Debug, PartialEq)]
pub struct Hashed {
    codes: Codes,
    bits: BinaryCodes,
}

impl Hashed {
    /// Bits of codes by thresholds.
    ///
    /// # Errors
    /// If there is not a threshold for each number.
    pub fn new(codes: Codes, thresholds: &[f32]) -> Result<Self> {
        let bits = BinaryCodes::above(&codes, thresholds)?;
        Ok(Self { codes, bits })
    }

    /// The bits.
    pub fn bits(&self) -> &BinaryCodes {
        &self.bits
    }

    /// All codes of a gallery by their Hamming distance from a query, the nearest first. Equal distances are
    /// frequent (64 bits have 65 of them), and any measure of a ranking depends on their order (He et al. 2018,
    /// arXiv 1705.08562): they are ordered by the Euclidean distance of the real-valued codes, then by row.
    ///
    /// # Panics
    /// If this has no such query, or the widths differ.
    pub fn rank(&self, query: usize, gallery: &Self) -> Vec<usize> {
        assert_eq!(self.bits.bits, gallery.bits.bits, "codes of one width");
        let (bits, code) = (self.bits.row(query), self.codes.row(query));
        let key = |row: usize| {
            let distance = hamming(bits, gallery.bits.row(row));
            let tie = squared_distance(code, gallery.codes.row(row));
            // The bits of a float from 0 are ordered as it is.
            (u64::from(distance) << 32) | u64::from(tie.to_bits())
        };
        let mut keys: Vec<(u64, u32)> =
            (0..gallery.bits.len()).map(|row| (key(row), row as u32)).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, row)| row as usize).collect()
    }
}

fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    // Eight sums at once, which the compiler keeps in one register.
    let (left, right) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 =
        left.remainder().iter().zip(right.remainder()).map(|(a, b)| (a - b).powi(2)).sum();
    let mut sums = [0.0f32; 8];
    for (a, b) in left.zip(right) {
        for lane in 0..8 {
            sums[lane] += (a[lane] - b[lane]) * (a[lane] - b[lane]);
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns (1, 5, 2) and (0, 0, 9): medians 2 and 0. Of (1, 4) the mean, 2.5.
    #[test]
    fn medians_by_hand() {
        assert_eq!(
            medians(&Codes::new(vec![1.0, 0.0, 5.0, 0.0, 2.0, 9.0], 2).unwrap()),
            [2.0, 0.0]
        );
        assert_eq!(medians(&Codes::new(vec![4.0, 1.0], 1).unwrap()), [2.5]);
    }

    /// The query 10; the gallery 11, 00, 10, 11. One bit differs from 11 and from 00; of these the real-valued code
    /// (0.4, 0.2) is nearest to (0.9, 0.1): 0.26, then (0.8, 0.9): 0.65, then (0.9, 2): 3.61.
    #[test]
    fn ranking_by_hand() {
        let thresholds = [0.5, 0.5];
        let hashed = |values: &[f32]| {
            Hashed::new(Codes::new(values.to_vec(), 2).unwrap(), &thresholds).unwrap()
        };
        let gallery = hashed(&[0.9, 2.0, 0.4, 0.2, 5.0, 0.0, 0.8, 0.9]);
        assert_eq!(hashed(&[0.9, 0.1]).rank(0, &gallery), [2, 1, 3, 0]);
    }

    #[test]
    fn bits_beyond_a_word_count() {
        let mut values = vec![0.0; 2 * 70];
        values[70 + 3] = 1.0;
        values[70 + 69] = 1.0;
        let bits = BinaryCodes::above(&Codes::new(values, 70).unwrap(), &[0.5; 70]).unwrap();
        assert_eq!((bits.len(), bits.bits()), (2, 70));
        assert_eq!(hamming(bits.row(0), bits.row(1)), 2);
        let one = Codes::new(vec![1.0], 1).unwrap();
        assert_eq!(
            BinaryCodes::above(&one, &[]).unwrap_err().to_string(),
            "thresholds: expected 1, one for each number of a code, got 0"
        );
    }
}
