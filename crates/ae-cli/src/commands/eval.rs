//! `ae eval`.

use ae_models::{Encoder, Model};
use ae_run::{Anomaly, SavedModel, batches, classifier, masked_batches};
use ae_train::format::{count, number};
use ae_train::{
    Corruption, Denoising, DetailedEvaluation, Evaluation, Jacobian, classify, denoise, evaluate,
};

use super::{Examples, print_json};
use crate::Result;
use crate::args::RunArgs;

/// Evaluate a trained model on the test set
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "eval",
    [
        "ae eval runs/digits-conv-32",
        "ae eval runs/digits-conv-32 --split validation --json",
        "ae eval runs/photos-conv-32 --data more-photos/",
    ],
)];

/// What `--json` prints.
#[derive(serde::Serialize)]
struct Evaluated {
    #[serde(flatten)]
    evaluation: Evaluation,
    #[serde(skip_serializing_if = "Option::is_none")]
    denoising: Option<Denoising>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anomaly: Option<Anomaly>,
}

impl Args {
    pub fn run(&self) -> Result<()> {
        let (run, selection, device) = self.run.open()?;
        let batch = run.recipe.schedule().batch;
        let model: &Model = match &run.model {
            SavedModel::Autoencoder(model) => model,
            SavedModel::Classifier(model) => {
                let classes = classifier::classes(&run)?;
                let labelled = classifier::labelled(&selection.samples, &selection.name, &classes)?;
                let predictions =
                    classify(&**model, classifier::loss(&run.recipe)?, &labelled, batch)?;
                return match self.json {
                    true => print_json(&predictions.classification),
                    false => {
                        let samples = count(predictions.classification.samples as f64);
                        println!("{}: {samples} samples", selection.title());
                        print!("{}", predictions.classification.to_text(&classes));
                        Ok(())
                    }
                };
            }
        };
        let data =
            masked_batches(&selection.samples, selection.is_masked, &run.recipe, &device.handle)?;
        let DetailedEvaluation { evaluation, squared_errors } = evaluate(model, &data, batch)?;
        let anomaly = Anomaly::measure(&squared_errors, selection.samples.labels());
        let noise = run.recipe.test_corruption();
        let denoising = (noise != Corruption::None)
            .then(|| denoise(model, noise, &data, batch, run.recipe.data.seed))
            .transpose()?;
        if self.json {
            return print_json(&Evaluated { evaluation, denoising, anomaly });
        }
        println!("{}: {} samples", selection.title(), count(evaluation.samples as f64));
        println!("squared error per sample   {}", number(evaluation.squared_error));
        if let Some(cross_entropy) = evaluation.cross_entropy {
            println!("cross-entropy per feature  {:.5}", cross_entropy.per_feature);
            println!("  its floor                {:.5}", cross_entropy.floor);
            println!("  above the floor          {:.5}", cross_entropy.excess());
        }
        if let Some(Denoising { corrupted_error, squared_error }) = denoising {
            println!("corrupted ({noise})   {}", number(corrupted_error));
            println!("  denoised               {}", number(squared_error));
        }
        if let Some(anomaly) = anomaly {
            println!("AUROC of the error       {:.4}", anomaly.auroc);
            println!("average precision        {:.4}", anomaly.average_precision);
        }
        if let Some(ratio) = evaluation.variance_kept {
            println!("variance of the outputs    {:.1} % of the data's", 100.0 * ratio);
        }
        println!(
            "dead code units            {} of {}",
            evaluation.dead_units, evaluation.code_size
        );
        let label = match model.code_activation().is_probability() {
            true => "mean activation",
            false => "share of active units",
        };
        println!("{label:<25}  {:.4}", evaluation.activity.mean);
        if let Some(sparseness) = evaluation.activity.lifetime_sparseness {
            println!("lifetime sparseness        {sparseness:.4}");
        }
        let plain = batches(&selection.samples, &run.recipe, &device.handle)?;
        if let Some(jacobian) = Jacobian::measure(model, &plain)? {
            println!(
                "squared Jacobian norm      {}, mean of the first {} samples",
                number(jacobian.squared_norm),
                jacobian.samples
            );
        }
        Ok(())
    }
}
