//! Samples as a data set for Burn's data loaders.

use burn_dataset::{Dataset, DatasetError};

use crate::Samples;

/// One sample, the item of burn-dataset's [`Dataset`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// `d` features, preprocessed.
    pub features: Vec<f32>,
    /// Its class, if the data set has classes.
    pub label: Option<u32>,
}

/// Lets a Burn `DataLoader` read samples.
impl Dataset<Sample> for Samples {
    fn get(&self, index: usize) -> Result<Sample, DatasetError> {
        Ok(Sample {
            features: self.row(index),
            label: self.labels().map(|labels| labels.classes()[index]),
        })
    }

    fn len(&self) -> usize {
        self.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Labels, Shape};

    #[test]
    fn dataset_has_the_same_rows() {
        let samples = Samples::from_floats(vec![0.0, 10.0, 2.0, 20.0], Shape::table(2)).unwrap();
        let item = Dataset::get(&samples, 1).unwrap();
        assert_eq!(item, Sample { features: samples.row(1), label: None });
        let labels = Labels::new(vec![1, 0], vec!["a".into(), "b".into()]).unwrap();
        let samples = samples.with_labels(labels).unwrap();
        assert_eq!(Dataset::get(&samples, 0).unwrap().label, Some(1));
        assert_eq!(Dataset::len(&samples), 2);
    }
}
