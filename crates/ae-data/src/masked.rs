//! Rows of samples with the masks of their known cells.

use crate::{Labels, Result, Samples, Source};

/// Samples whose rows are followed by their masks: `d` values, then `d` numbers that are 1 where the
/// value is known and 0 where it is missing. So a mask is there wherever the row is: in subsets, in
/// batches and in fingerprints.
///
/// ```
/// use ae_data::{Masked, Source, table};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("sizes.csv");
/// std::fs::write(&path, "length,width\n5,3\n7,?\n")?;
/// let masked = Masked::from(table::read(&path, None)?);
/// let mut row = [0.0; 4];
/// masked.read(&[1], &mut row)?;
/// assert_eq!(row, [7.0, 3.0, 1.0, 0.0]); // the mean of the column, marked as missing
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Masked(Samples);

impl Masked {
    /// The samples.
    pub fn samples(&self) -> &Samples {
        &self.0
    }
}

impl From<Samples> for Masked {
    fn from(samples: Samples) -> Self {
        Self(samples)
    }
}

impl Source for Masked {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn width(&self) -> usize {
        2 * self.0.width()
    }

    fn read(&self, rows: &[usize], out: &mut [f32]) -> Result<()> {
        let width = self.0.width();
        assert_eq!(out.len(), rows.len() * 2 * width, "an output of {} rows", rows.len());
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(2 * width)) {
            let (values, known) = out.split_at_mut(width);
            self.0.read(&[*row], values)?;
            for (known, missing) in known.iter_mut().zip(self.0.try_missing_in(*row)?) {
                *known = f32::from(u8::from(!missing));
            }
        }
        Ok(())
    }

    fn labels(&self) -> Option<&Labels> {
        self.0.labels()
    }

    fn is_on_disk(&self) -> bool {
        self.0.is_on_disk()
    }

    fn is_masked(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Shape, fingerprint};

    #[test]
    fn the_mask_is_behind_the_values() {
        let cells = vec![1.0, f64::NAN, 3.0, 5.0];
        let samples = Samples::from_cells(cells, Shape::table(2)).unwrap();
        let masked = Masked::from(samples.clone());
        assert_eq!((masked.len(), masked.width()), (2, 4));
        let mut out = [0.0; 8];
        masked.read(&[1, 0], &mut out).unwrap();
        assert_eq!(out, [3.0, 5.0, 1.0, 1.0, 1.0, 5.0, 1.0, 0.0]);
        // Samples with another value in the place of the missing one differ by the mask alone.
        let full = Samples::from_floats(vec![1.0, 5.0, 3.0, 5.0], Shape::table(2)).unwrap();
        assert_eq!(fingerprint(&full).unwrap(), fingerprint(&samples).unwrap());
        let [full, holes] = [full, samples].map(|it| fingerprint(&Masked::from(it)).unwrap());
        assert_ne!(full, holes);
    }
}
