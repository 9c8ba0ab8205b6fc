//! How badly each sample is reconstructed, and in which features.

use ae_data::Samples;
use ae_models::{Autoencoder, Model};
use burn::tensor::Device;

use crate::{Result, SavedRun, Selection, batches, to_rows};

/// How badly a sample is reconstructed.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleScore {
    /// Its squared error: summed over its features.
    pub squared_error: f32,
    /// The columns or pixels with the most of it, the first ones first: each with its share, from 0 to 1.
    pub largest: Vec<(String, f32)>,
}

impl SavedRun {
    /// The squared error of each sample, with the `count` features that contribute most. The features of a
    /// categorical column are summed; missing cells that were left out of the loss have no error.
    ///
    /// # Errors
    /// If the samples cannot be read.
    pub fn score(
        &self,
        model: &Model,
        selection: &Selection,
        device: &Device,
        count: usize,
    ) -> Result<Vec<SampleScore>> {
        let samples = &selection.samples;
        let groups = groups(samples);
        let data = batches(samples, &self.recipe, device)?;
        let batch = self.recipe.schedule().batch;
        let mut scores = Vec::with_capacity(samples.len());
        for start in (0..samples.len()).step_by(batch) {
            let rows: Vec<usize> = (start..samples.len().min(start + batch)).collect();
            let input = data.select(&rows)?;
            let errors = (model.reconstruct(input.clone()) - input).square();
            for (row, mut errors) in rows.iter().zip(to_rows(errors)) {
                if selection.is_masked {
                    let missing = samples.try_missing_in(*row)?;
                    let unknown = errors.iter_mut().zip(missing).filter(|(_, missing)| *missing);
                    unknown.for_each(|(error, _)| *error = 0.0);
                }
                scores.push(score(&errors, &groups, count));
            }
        }
        Ok(scores)
    }
}

/// Names of columns or pixels, with the number of features of each.
fn groups(samples: &Samples) -> Vec<(String, usize)> {
    match samples.table() {
        Some(table) => {
            let columns = table.schema.columns.iter().filter(|it| it.role.features() > 0);
            columns.map(|it| (it.name.clone(), it.role.features())).collect()
        }
        None => samples.shape().feature_names().into_iter().map(|name| (name, 1)).collect(),
    }
}

fn score(errors: &[f32], groups: &[(String, usize)], count: usize) -> SampleScore {
    let squared_error: f32 = errors.iter().sum();
    let mut rest = errors;
    let mut sums: Vec<(usize, f32)> = Vec::with_capacity(groups.len());
    for (at, (_, features)) in groups.iter().enumerate() {
        let (own, next) = rest.split_at(*features);
        rest = next;
        sums.push((at, own.iter().sum()));
    }
    sums.sort_by(|a, b| b.1.total_cmp(&a.1));
    let shares = sums.iter().filter(|(_, sum)| *sum > 0.0).take(count);
    let largest = shares.map(|(at, sum)| (groups[*at].0.clone(), sum / squared_error)).collect();
    SampleScore { squared_error, largest }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 6, `colour` has 1 + 2.5, `size` 2.5 and `day` nothing.
    #[test]
    fn categories_of_a_column_are_summed() {
        let groups = [("colour", 2), ("size", 1), ("day", 1)];
        let groups = groups.map(|(name, features)| (name.to_owned(), features));
        let found = score(&[1.0, 2.5, 2.5, 0.0], &groups, 3);
        let share = |sum: f32| sum / 6.0;
        let expected = vec![("colour".to_owned(), share(3.5)), ("size".to_owned(), share(2.5))];
        assert_eq!(found, SampleScore { squared_error: 6.0, largest: expected });
        assert_eq!(score(&[0.0; 4], &groups, 3).largest, vec![]);
    }
}
