//! The built-in experiments.

use std::path::Path;

use super::experiment::Experiment;
use crate::{Error, Result};

macro_rules! recipes {
    ($($name:literal),* $(,)?) => {
        /// Name and text of each, in the order in which they are listed.
        const RECIPES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../recipes/", $name, ".toml")))),*];
    };
}

recipes![
    "pca-mnist",
    "linear-pca",
    "keras-dense",
    "keras-sparse",
    "keras-deep",
    "keras-conv",
    "keras-denoising",
    "deep-autoencoder",
    "sdae-mnist",
    "cae-mnist",
    "k-sparse-mnist",
    "ufldl-stacked",
    "one-class-mnist",
    "curves",
    "sdae-rectangles",
    "sdae-convex",
    "sdae-rot",
    "sdae-bg-rand",
];

/// The built-in Python program.
pub const PROGRAM: &str = "svm_rbf.py";

/// The text of a built-in program.
pub fn program(name: &str) -> Option<&'static str> {
    (name == PROGRAM).then_some(include_str!("../../recipes/svm_rbf.py"))
}

/// All built-in experiments.
pub fn all() -> Result<Vec<Experiment>> {
    RECIPES.iter().map(|(name, text)| Experiment::parse(name, text)).collect()
}

/// A built-in experiment by name, or that of a file.
pub fn find(name: &str) -> Result<Experiment> {
    if let Some((name, text)) = RECIPES.iter().find(|(known, _)| *known == name) {
        return Experiment::parse(name, text);
    }
    let path = Path::new(name);
    if path.extension().is_some_and(|end| end == "toml") {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        return Ok(Experiment { called: name.to_owned(), ..Experiment::parse(&stem, &text)? });
    }
    let names: Vec<&str> = RECIPES.iter().map(|(name, _)| *name).collect();
    Err(Error::usage(format!(
        "reproduce: expected one of {}, or a .toml file, got `{name}`",
        names.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::runner::check;
    use ae_data::Shape;
    use ae_recipe::Recipe;

    #[test]
    fn every_recipe_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
            .collect();
        let mut known: Vec<&str> = RECIPES.iter().map(|(name, _)| *name).collect();
        files.sort_unstable();
        known.sort_unstable();
        assert_eq!(files, known);
    }

    /// Every setting of every stage is valid, also with `--epochs`.
    #[test]
    fn every_arm_is_valid() {
        let shape = Shape::image(1, 28, 28);
        for experiment in all().unwrap() {
            for (is_quick, epochs) in [(false, None), (true, None), (true, Some(0))] {
                let Ok(plan) = experiment.plan(is_quick, epochs) else {
                    // PCA has no epochs.
                    assert!(epochs.is_some() && experiment.name == "pca-mnist");
                    continue;
                };
                for arm in plan.arms.iter().filter(|arm| arm.program.is_none()) {
                    let overrides = arm.stages[0].with_seed(1);
                    let data = Recipe::data(&overrides).unwrap();
                    let checked =
                        check(&arm.stages[0], &arm.stages[1..], &overrides, data, &shape, 60_000);
                    assert!(checked.is_ok(), "{}, {}: {checked:?}", experiment.name, arm.name);
                }
            }
        }
    }

    #[test]
    fn the_experiment_of_the_guide_is_valid() {
        let page = include_str!("../../../../docs/src/reproducing-papers.md");
        let text = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let experiment = Experiment::parse("page", text).unwrap();
        assert_eq!(experiment.plan(false, None).unwrap().arms.len(), 3);
        assert_eq!(experiment.plan(true, Some(1)).unwrap().seeds, 1);
    }

    #[test]
    fn every_quick_version_has_criteria() {
        for experiment in all().unwrap() {
            let plan = experiment.plan(true, None).unwrap();
            let has_criteria = plan.targets.iter().any(|it| it.criteria != Default::default());
            assert!(has_criteria, "{}", experiment.name);
        }
    }
}
