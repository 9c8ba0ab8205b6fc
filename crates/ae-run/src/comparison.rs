//! How a run compares with baselines that need no training: PCA, and the mean of all samples.

use ae_models::Model;
use ae_recipe::LinearPath;
use ae_train::Corruption;
use ae_train::format::number;

use crate::TrainedRun;
use crate::summary::{Summary, components};

/// Errors whose ratio is nearer to 1 than this count as the same.
const SAME: f64 = 5e-3;

/// The comparison with PCA, unless one of both has almost no error.
pub fn comparison(trained: &TrainedRun, summary: &Summary) -> Option<String> {
    let (ours, linear) = (summary.test.squared_error, summary.pca.squared_error);
    let tiny = 1e-6 * summary.mean_error;
    let is_pca = matches!(trained.model, Model::Pca(_));
    if is_pca || !(ours > tiny && linear > tiny) {
        return None;
    }
    let size = match summary.pca.components == summary.code {
        true => "with the same code size".to_owned(),
        false => format!("with {}, all that the data has", components(summary.pca.components)),
    };
    let ratio = linear / ours;
    Some(match ratio {
        _ if (ratio - 1.0).abs() < SAME => format!("the same as PCA {size}"),
        _ if ratio > 1.0 => format!("{} less than PCA {size}", times(ratio)),
        _ => format!("{} more than PCA {size}", times(1.0 / ratio)),
    })
}

/// `2.3 times`, `4.1 %`
fn times(ratio: f64) -> String {
    match ratio < 1.15 {
        true => format!("{:.1} %", 100.0 * (ratio - 1.0)),
        false => format!("{ratio:.1} times"),
    }
}

/// The baseline with the smallest error, if that is smaller than the run's, and what may help.
pub fn better_baseline(trained: &TrainedRun, summary: &Summary) -> Option<String> {
    let (ours, linear, mean) =
        (summary.test.squared_error, summary.pca.squared_error, summary.mean_error);
    // Samples that do not vary have no error to lower.
    if mean == 0.0 {
        return None;
    }
    let is_less = |other: f64| other < ours * (1.0 - SAME);
    // A denoiser is not compared with PCA on inputs without noise.
    let is_denoiser = trained.recipe.objective().corruption != Corruption::None;
    let is_worse = is_less(mean) || (is_less(linear) && !is_denoiser);
    if matches!(trained.model, Model::Pca(_)) || !is_worse {
        return None;
    }
    let (name, error) = match is_less(mean) && mean <= linear {
        true => ("the mean of all samples".to_owned(), mean),
        false => (format!("PCA with {}", components(summary.pca.components)), linear),
    };
    let [error, ours] = [error, ours].map(number);
    Some(format!("{name} does better: {error}, and this model {ours}; {}", advice(trained)))
}

fn advice(trained: &TrainedRun) -> String {
    let recipe = &trained.recipe;
    let objective = recipe.objective();
    if objective.active_penalties().next().is_some()
        || objective.train_top_k.is_some()
        || objective.dropout > 0.0
    {
        return "its penalties, sparsity or dropout cost accuracy: lower their weights".into();
    }
    let longer = format!("train longer (--epochs {})", 3 * recipe.schedule().epochs.max(1));
    match recipe.model.linear_path() {
        LinearPath::On => format!("{longer}, or with fewer units (--code)"),
        _ if recipe.may_begin_as_pca(trained.splits.training.shape()) => {
            format!("{longer}, or begin as PCA (--linear-path on)")
        }
        _ => format!("{longer}, or use --model pca"),
    }
}
