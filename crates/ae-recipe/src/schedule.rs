//! The schedule section of a recipe, which is a [`Schedule`](ae_train::Schedule), on a command line.

use crate::option::{Parse, RecipeOption, group, option};
use crate::parse;

/// The option of the number of epochs, with its default in words.
pub(crate) fn epochs_option(default: &str) -> RecipeOption {
    let help = format!("Number of epochs [default: {default}]");
    option("epochs", "N", &["schedule", "epochs"], Parse::Count, help).short('e')
}

/// The other options of the section.
pub(crate) fn options() -> Vec<RecipeOption> {
    group(
        "Training",
        vec![
            option(
                "batch",
                "N",
                &["schedule", "batch"],
                Parse::Count,
                "Batch size [default: 128, less (down to 16) if an epoch would have under \
                 100 steps]",
            )
            .short('b'),
            option(
                "optimizer",
                "NAME",
                &["schedule", "optimizer"],
                Parse::By(parse::optimizer),
                "adam, adam-w, sgd or rms-prop [default: adam]",
            ),
            option(
                "lr",
                "RATE",
                &["schedule", "rate", "peak"],
                Parse::Number,
                "Peak learning rate [default: conv and tables 0.005, dense 0.001, classify \
                 0.01; finetune: that of the run, with --head at most 0.001]",
            ),
            option(
                "decay",
                "DECAY",
                &["schedule", "rate", "decay"],
                Parse::By(parse::decay),
                "Decay of the learning rate: constant, cosine or step:EPOCHS:FACTOR \
                 [default: cosine]",
            ),
            option(
                "warm-up",
                "EPOCHS",
                &["schedule", "rate", "warm_up"],
                Parse::Number,
                "Epochs of learning rate warm-up, such as 0.5 [default: 0.5, or 20 steps]",
            ),
            option(
                "precision",
                "TYPE",
                &["schedule", "precision"],
                Parse::OneOf(&["full", "f16", "bf16"]),
                "Floating-point type of the layers: full, f16 or bf16; weights stay f32 \
                 [default: full]",
            ),
            option(
                "clip",
                "NORM",
                &["schedule", "clip"],
                Parse::Number,
                "Clip the norm of all gradients to this value [default: no clipping; tables \
                 2]",
            ),
            option(
                "patience",
                "EPOCHS",
                &["schedule", "patience"],
                Parse::Count,
                "Stop after this many epochs without a better validation loss [default: \
                 never]",
            ),
            option(
                "seed",
                "N",
                &["schedule", "seed"],
                Parse::Count,
                "Seed of initial weights, order of samples and noise [default: 0]",
            )
            .short('s'),
            option(
                "resident-limit",
                "BYTES",
                &["schedule", "resident_limit"],
                Parse::Count,
                "Largest training set, in bytes, to keep on the device; a larger one is \
                 streamed [default: 1073741824]",
            ),
        ],
    )
}
