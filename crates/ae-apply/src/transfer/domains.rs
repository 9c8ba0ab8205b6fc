//! Samples of two domains that fit each other.

use ae_data::{Labels, Samples, Source};
use burn::tensor::{Device, Tensor, TensorData};

use crate::{Error, Result};

/// Numbers at most in all features of all samples at once: 8 GB in f32.
const MOST_NUMBERS: usize = 2_000_000_000;

/// The labelled samples of a source, the samples of a target, and a test set of the target if there is one.
#[derive(Clone, Debug)]
pub struct Domains {
    pub(super) source: Tensor<2>,
    pub(super) target: Tensor<2>,
    pub(super) test: Option<Tensor<2>>,
    /// Of the source.
    pub(super) labels: Vec<u32>,
    /// The names of the classes.
    pub(super) classes: Vec<String>,
    /// The labels of what is predicted, to measure by.
    pub(super) truth: Option<Vec<u32>>,
}

impl Domains {
    /// Samples of both domains. What is predicted are the samples of the test set, or, without one, those of the
    /// target.
    ///
    /// # Errors
    /// If the source has no labels or a single class, the numbers of features differ, cells are missing, a set to
    /// predict has labels that the source has not, or a set is empty.
    pub fn new(
        source: &Samples,
        target: &Samples,
        test: Option<&Samples>,
        device: &Device,
    ) -> Result<Self> {
        let labels = source.labels().ok_or_else(|| {
            Error::Unsuitable(
                "the source has no labels, and a classifier needs them; name their column with --label-column, or \
                 exchange source and target"
                    .into(),
            )
        })?;
        let sets = [("source", Some(source)), ("target", Some(target)), ("test set", test)];
        for (name, samples) in sets {
            let Some(samples) = samples else { continue };
            if samples.is_empty() {
                return Err(Error::Unsuitable(format!("the {name} has no samples")));
            }
            if samples.width() != source.width() {
                return Err(Error::Unsuitable(format!(
                    "the {name} has {} features ({}) and the source {} ({}); both need the same: images can be \
                     brought to one size with --resize",
                    samples.width(),
                    samples.shape(),
                    source.width(),
                    source.shape()
                )));
            }
            if samples.try_missing()? > 0 {
                return Err(Error::Unsuitable(format!(
                    "{} of the cells of the {name} are missing, and a classifier needs all; fill them with `ae \
                     impute`",
                    samples.try_missing()?
                )));
            }
        }
        let (classes, own) = there(labels);
        if classes.len() < 2 {
            return Err(Error::Unsuitable(format!(
                "the source has the one class `{}`, and a classifier needs at least two",
                classes.concat()
            )));
        }
        let rows = source.len() + target.len() + test.map_or(0, Samples::len);
        if rows.saturating_mul(source.width()) > MOST_NUMBERS {
            return Err(Error::Unsuitable(format!(
                "{rows} samples of {} features are more numbers than are kept in memory ({MOST_NUMBERS}); use fewer \
                 samples",
                source.width()
            )));
        }
        let scored = test.unwrap_or(target);
        let truth = match scored.labels() {
            Some(labels) => Some(same_classes(labels, &classes)?),
            None => None,
        };
        Ok(Self {
            source: rows_of(source, device)?,
            target: rows_of(target, device)?,
            test: test.map(|test| rows_of(test, device)).transpose()?,
            labels: own,
            classes,
            truth,
        })
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Samples of the source and of the target, and features.
    pub fn sizes(&self) -> (usize, usize, usize) {
        (self.source.dims()[0], self.target.dims()[0], self.source.dims()[1])
    }

    /// The set that is predicted.
    pub(super) fn scored(&self) -> &Tensor<2> {
        self.test.as_ref().unwrap_or(&self.target)
    }
}

/// The classes that have samples, and the labels as indices of these.
fn there(labels: &Labels) -> (Vec<String>, Vec<u32>) {
    let mut place = vec![None; labels.names().len()];
    labels.classes().iter().for_each(|class| place[*class as usize] = Some(0));
    let mut names = Vec::new();
    for (place, name) in place.iter_mut().zip(labels.names()) {
        if let Some(place) = place {
            *place = names.len() as u32;
            names.push(name.clone());
        }
    }
    let indices = labels.classes().iter().filter_map(|class| place[*class as usize]);
    (names, indices.collect())
}

/// Labels as indices of the source's classes.
fn same_classes(labels: &Labels, classes: &[String]) -> Result<Vec<u32>> {
    let (names, indices) = there(labels);
    let place = |name: &String| classes.iter().position(|class| class == name);
    let other: Vec<&str> =
        names.iter().filter(|name| place(name).is_none()).map(String::as_str).collect();
    if !other.is_empty() {
        let list = |names: &[&str]| {
            let more = if names.len() > 5 { ", ..." } else { "" };
            names[..names.len().min(5)].join(", ") + more
        };
        let ours: Vec<&str> = classes.iter().map(String::as_str).collect();
        return Err(Error::Unsuitable(format!(
            "the samples to predict have classes that the source has not ({}; the source has {}); name the same \
             classes in both, or leave the labels out",
            list(&other),
            list(&ours)
        )));
    }
    let places: Vec<u32> = names.iter().filter_map(place).map(|place| place as u32).collect();
    Ok(indices.iter().map(|index| places[*index as usize]).collect())
}

fn rows_of(samples: &Samples, device: &Device) -> Result<Tensor<2>> {
    let (count, width) = (samples.len(), samples.width());
    let rows: Vec<usize> = (0..count).collect();
    let mut values = vec![0.0; count * width];
    samples.read(&rows, &mut values)?;
    Ok(Tensor::from_data(TensorData::new(values, [count, width]), device))
}

#[cfg(test)]
mod tests {
    use ae_data::Shape;

    use super::*;

    fn samples(width: usize, labels: Option<&[&str]>) -> Samples {
        let count = labels.map_or(3, <[&str]>::len);
        let values = (0..count * width).map(|at| at as f32).collect();
        let samples = Samples::from_floats(values, Shape::table(width)).unwrap();
        let Some(labels) = labels else { return samples };
        let mut names: Vec<String> = labels.iter().map(|name| (*name).to_owned()).collect();
        names.sort();
        names.dedup();
        names.push("empty".into());
        let class = |name: &&str| names.iter().position(|known| known == name).unwrap() as u32;
        let classes = labels.iter().map(class).collect();
        samples.with_labels(Labels::new(classes, names).unwrap()).unwrap()
    }

    #[test]
    fn labels_of_both_are_indices_of_the_same_names() {
        let source = samples(2, Some(&["b", "a", "c", "a"]));
        let target = samples(2, Some(&["c", "b"]));
        let domains = Domains::new(&source, &target, None, &Device::flex()).unwrap();
        assert_eq!(domains.classes(), ["a", "b", "c"]);
        assert_eq!(domains.labels, [1, 0, 2, 0]);
        assert_eq!(domains.truth, Some(vec![2, 1]));
        assert_eq!(domains.sizes(), (4, 2, 2));
        let unlabelled = samples(2, None);
        let domains = Domains::new(&source, &target, Some(&unlabelled), &Device::flex()).unwrap();
        assert_eq!((domains.truth.as_ref(), domains.scored().dims()), (None, [3, 2]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let message = |source: &Samples, target: &Samples| {
            Domains::new(source, target, None, &Device::flex()).unwrap_err().to_string()
        };
        let source = samples(2, Some(&["a", "b"]));
        for (source, target, expected) in [
            (
                &samples(2, None),
                &source,
                "the source has no labels, and a classifier needs them; name their column with --label-column, or \
                 exchange source and target",
            ),
            (
                &samples(2, Some(&["a", "a"])),
                &source,
                "the source has the one class `a`, and a classifier needs at least two",
            ),
            (
                &source,
                &samples(3, None),
                "the target has 3 features (3 columns) and the source 2 (2 columns); both need the same: images can \
                 be brought to one size with --resize",
            ),
            (
                &source,
                &samples(2, Some(&["b", "d"])),
                "the samples to predict have classes that the source has not (d; the source has a, b); name the same \
                 classes in both, or leave the labels out",
            ),
        ] {
            assert_eq!(message(source, target), expected);
        }
    }
}
