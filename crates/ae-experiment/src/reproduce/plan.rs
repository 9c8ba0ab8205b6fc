//! The plan of an experiment, full or quick: its arms with all settings, and its targets.

use toml::{Table, Value};

use super::arm::{Program, ResolvedArm, ResolvedStage, put};
use super::builtin::{PROGRAM, program};
use super::experiment::{Arm, Experiment};
use super::target::{Printed, Published, Target};
use crate::Result;
use ae_recipe::merge;

/// The arms to run and the targets to compare with.
pub struct Plan {
    /// Seeds of each arm.
    pub seeds: u64,
    pub(crate) arms: Vec<ResolvedArm>,
    pub(crate) targets: Vec<Target>,
}

/// The name of an arm's variant, and the path and value that it varies, if it does.
type Variant = (String, Option<(String, Value)>);

/// Recipe sections of a stage; only the first stage may have data.
const SECTIONS: [&str; 6] = ["data", "model", "objective", "schedule", "head", "measure"];

impl Experiment {
    /// Resolves the experiment; `epochs` replaces those of every schedule.
    pub fn plan(&self, is_quick: bool, epochs: Option<usize>) -> Result<Plan> {
        self.check_names()?;
        let mut arms = Vec::new();
        for arm in &self.arms {
            for (name, varied) in self.variants(arm)? {
                let selected = self.quick.arms.as_ref().filter(|_| is_quick);
                if selected.is_none_or(|names| names.contains(&name) || names.contains(&arm.name)) {
                    arms.push(self.resolve(arm, name, varied.as_ref(), is_quick, epochs)?);
                }
            }
        }
        if epochs.is_some()
            && !arms.iter().any(|arm| arm.stages.iter().any(ResolvedStage::is_in_epochs))
        {
            return Err(self.error("--epochs: this experiment has no epochs; drop the option"));
        }
        let (seeds, targets) = match is_quick {
            true => (self.quick.seeds, &self.quick.targets),
            false => (self.seeds, &self.targets),
        };
        let mut each = Vec::new();
        for target in targets {
            each.extend(self.target_of_each_variant(target, &arms)?);
        }
        let plan = Plan { seeds, arms, targets: each };
        plan.check().map_err(|message| self.error(message))?;
        Ok(plan)
    }

    /// Checks that settings by name refer to stages and arms that exist.
    fn check_names(&self) -> Result<()> {
        let has_stage =
            |arm: &Arm, name: &String| arm.stages.iter().any(|stage| stage.name() == name);
        let unknown = self
            .common
            .keys()
            .chain(self.quick.common.keys())
            .find(|name| !self.arms.iter().any(|arm| has_stage(arm, name)));
        if let Some(name) = unknown {
            return Err(self.error(format!("common: no stage is named `{name}`")));
        }
        for (name, stages) in &self.quick.arm {
            let arm = self.arms.iter().find(|arm| arm.name == *name);
            let is_known = arm.is_some_and(|arm| stages.keys().all(|it| has_stage(arm, it)));
            if !is_known {
                let stages: Vec<&str> = stages.keys().map(String::as_str).collect();
                return Err(self.error(format!(
                    "quick.arm: no arm is named `{name}` with stages {}",
                    stages.join(", ")
                )));
            }
        }
        for name in self.quick.arms.iter().flatten() {
            let variants = self.arms.iter().map(|arm| self.variants(arm));
            let variants = variants.collect::<Result<Vec<_>>>()?;
            let is_arm = self.arms.iter().any(|arm| arm.name == *name);
            if !is_arm && !variants.iter().flatten().any(|(known, _)| known == name) {
                return Err(self.error(format!("quick.arms: no arm is named `{name}`")));
            }
        }
        Ok(())
    }

    /// The variants of an arm.
    fn variants(&self, arm: &Arm) -> Result<Vec<Variant>> {
        let Some((key, values)) = arm.vary.iter().next() else {
            return Ok(vec![(arm.name.clone(), None)]);
        };
        let (1, Some(values), Some(_)) = (arm.vary.len(), values.as_array(), key.split_once('.'))
        else {
            return Err(self.error(format!(
                "arm {}: vary: expected one path with a list, such as \"model.code\" = [2, 10]",
                arm.name
            )));
        };
        let name = |value: &Value| match value {
            Value::String(text) => format!("{}-{text}", arm.name),
            other => format!("{}-{other}", arm.name),
        };
        Ok(values.iter().map(|it| (name(it), Some((key.clone(), it.clone())))).collect())
    }

    /// Merges all settings of an arm's variant.
    fn resolve(
        &self,
        arm: &Arm,
        name: String,
        varied: Option<&(String, Value)>,
        is_quick: bool,
        epochs: Option<usize>,
    ) -> Result<ResolvedArm> {
        let mut data = self.data.clone();
        merge(&mut data, &arm.data);
        if is_quick {
            merge(&mut data, &self.quick.data);
        }
        let program = match &arm.program {
            None => None,
            Some(file) => {
                let text = program(file).ok_or_else(|| {
                    self.error(format!("arm {name}: expected {PROGRAM}, got `{file}`"))
                })?;
                Some(Program { name: file.clone(), text, data: data.clone() })
            }
        };
        if program.is_some() && varied.is_some() {
            return Err(
                self.error(format!("arm {name}: vary needs stages, but the arm has a program"))
            );
        }
        if program.is_some() != arm.stages.is_empty() {
            return Err(self.error(format!("arm {name}: expected either stages or a program")));
        }
        let mut stages: Vec<ResolvedStage> = Vec::new();
        for stage in &arm.stages {
            let quick_arm = self.quick.arm.get(&arm.name);
            let quick = [
                self.quick.common.get(stage.name()),
                quick_arm.and_then(|stages| stages.get(stage.name())),
            ];
            let mut overrides = Table::new();
            let overs = [self.common.get(stage.name()), Some(&stage.overrides)].into_iter();
            for over in overs.chain(quick.into_iter().filter(|_| is_quick)).flatten() {
                merge(&mut overrides, over);
            }
            if stages.is_empty() {
                let mut all = Table::from_iter([("data".to_owned(), data.clone().into())]);
                merge(&mut all, &overrides);
                overrides = all;
                if let Some((path, value)) = varied {
                    put(&mut overrides, path, value.clone());
                }
            }
            if let Some(key) = overrides.keys().find(|key| !SECTIONS.contains(&key.as_str())) {
                return Err(self.error(format!(
                    "arm {name}, stage {}: expected the sections {}, got `{key}`",
                    stage.name(),
                    SECTIONS.join(", ")
                )));
            }
            let mut stage =
                ResolvedStage { name: stage.name().to_owned(), command: stage.command, overrides };
            if let Some(epochs) = epochs.filter(|_| stage.is_in_epochs()) {
                let epochs = i64::try_from(epochs).unwrap_or(i64::MAX);
                put(&mut stage.overrides, "schedule.epochs", epochs.into());
            }
            stages.push(stage);
        }
        Ok(ResolvedArm { name, variant_of: arm.name.clone(), stages, program })
    }

    /// One target for each variant of an arm, if each has a published value.
    fn target_of_each_variant(&self, target: &Target, arms: &[ResolvedArm]) -> Result<Vec<Target>> {
        let Some(Published::Each(values)) = &target.published else {
            return Ok(vec![target.clone()]);
        };
        let variants: Vec<&ResolvedArm> =
            arms.iter().filter(|arm| arm.variant_of == target.arm).collect();
        if variants.len() != values.len() {
            return Err(self.error(format!(
                "result `{}`: expected {} published values, one for each variant of arm {}, got {}",
                target.name,
                variants.len(),
                target.arm,
                values.len()
            )));
        }
        let one = |(arm, value): (&ResolvedArm, &Printed)| Target {
            name: format!("{}, {}", target.name, arm.name),
            arm: arm.name.clone(),
            published: Some(Published::One(value.clone())),
            ..target.clone()
        };
        Ok(variants.into_iter().zip(values).map(one).collect())
    }
}

impl Plan {
    /// The arms with a name, or the variants of a written arm.
    pub fn variants_of(&self, name: &str) -> Vec<&ResolvedArm> {
        self.arms.iter().filter(|arm| arm.name == name || arm.variant_of == name).collect()
    }

    /// Every run, as a seed and an arm.
    pub fn runs(&self) -> Vec<(u64, &ResolvedArm)> {
        let of_seed = |seed| {
            let has_seed = move |arm: &&ResolvedArm| seed < self.seeds_of(&arm.name);
            self.arms.iter().filter(has_seed).map(move |arm| (seed, arm))
        };
        (0..self.seeds).flat_map(of_seed).collect()
    }

    /// The number of seeds of an arm: one for external programs, which are deterministic.
    pub fn seeds_of(&self, arm: &str) -> u64 {
        let is_program = |arm: &&ResolvedArm| arm.program.is_some();
        if self.variants_of(arm).iter().all(is_program) { 1 } else { self.seeds }
    }

    /// Checks that all names and published values that targets refer to exist.
    fn check(&self) -> Result<(), String> {
        let known = |arm: &str, stage: Option<&String>, of: &str| {
            let variants = self.variants_of(arm);
            let has = |arm: &&ResolvedArm| {
                stage.is_none_or(|it| arm.stages.iter().any(|s| s.name == *it))
            };
            match !variants.is_empty() && variants.iter().all(has) {
                true => Ok(()),
                false => Err(format!(
                    "result `{of}`: no arm is named `{arm}`{}",
                    stage.map(|stage| format!(" with stage `{stage}`")).unwrap_or_default()
                )),
            }
        };
        for it in &self.targets {
            known(&it.arm, it.stage.as_ref(), &it.name)?;
            for other in it.criteria.below.iter().chain(&it.criteria.above) {
                known(&other.arm, other.stage.as_ref(), &it.name)?;
            }
            let need_published = [
                ("error_rate", it.criteria.error_rate),
                ("equal_places", it.criteria.equal_places.is_some()),
                ("ranks_below", !it.criteria.ranks_below.is_empty()),
                ("ratio_to", it.criteria.ratio_to.is_some()),
            ];
            if let Some((what, _)) = need_published.into_iter().find(|(_, is_given)| *is_given)
                && it.published.is_none()
            {
                return Err(format!("result `{}`: {what} needs a published value", it.name));
            }
            for arm in it.criteria.ranks_below.iter().chain(&it.criteria.ratio_to) {
                known(arm, it.stage.as_ref(), &it.name)?;
                let is_same_measure = |other: &&Target| {
                    (&other.arm, &other.measure, &other.stage) == (arm, &it.measure, &it.stage)
                };
                if self.targets.iter().find(is_same_measure).and_then(Target::published).is_none() {
                    return Err(format!(
                        "result `{}`: needs a published value of {arm} to compare with",
                        it.name
                    ));
                }
            }
        }
        let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        let stages = self.arms.iter().flat_map(|arm| arm.stages.iter().map(|stage| &stage.name));
        let mut all = self.arms.iter().map(|arm| &arm.name).chain(stages);
        if let Some(name) = all.find(|name| !name.chars().all(is_plain)) {
            return Err(format!(
                "names of arms and stages: expected letters, digits, -, _ and ., got `{name}`"
            ));
        }
        let mut names: Vec<&str> = self.arms.iter().map(|arm| arm.name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("arm {}: the name is used twice", pair[0])),
            None if names.is_empty() => Err("expected at least one arm, got none".to_owned()),
            None => Ok(()),
        }
    }
}

impl Plan {
    /// Whether an arm needs a program in Python.
    pub fn has_program(&self) -> bool {
        self.arms.iter().any(|arm| arm.program.is_some())
    }

    /// Whether an arm needs a published data set.
    pub fn has_published_data(&self) -> bool {
        let is_published = |data: Option<&Table>| {
            data.and_then(|data| data.get("source")?.as_str()).is_some_and(ae_data::is_published)
        };
        self.arms.iter().any(|arm| match (&arm.program, arm.stages.first()) {
            (Some(program), _) => is_published(Some(&program.data)),
            (None, first) => {
                let data = first.and_then(|stage| stage.overrides.get("data"));
                is_published(data.and_then(Value::as_table))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
        title = 't'\npaper = 'p'\nabout = 'a'\nsearched = 's'\nminutes = 1
        data = { source = 'mnist', validation = 0.0 }
        common.train = { model = { kind = 'dense', code = 8 }, schedule = { epochs = 50 } }
        [[arm]]
        name = 'code'
        vary = { 'model.code' = [2, 3] }
        [[arm.stage]]
        command = 'train'
        schedule.batch = 100
        [[arm.stage]]
        command = 'finetune'
        [[arm]]
        name = 'pca'
        [[arm.stage]]
        command = 'train'
        model = { kind = 'pca', code = 2 }
        [[result]]
        name = 'error'
        arm = 'code'
        measure = 'test.squared_error'
        published = ['2.0', '3.0']
        [quick]
        arms = ['code-3', 'pca']
        data = { source = 'digits' }
        common.train.schedule.epochs = 2
        arm.code.finetune.schedule.epochs = 1
        [[quick.result]]
        name = 'error'
        arm = 'code'
        measure = 'test.squared_error'";

    fn plan(text: &str, is_quick: bool, epochs: Option<usize>) -> Result<Plan> {
        Experiment::parse("it", text)?.plan(is_quick, epochs)
    }

    fn names(plan: &Plan) -> Vec<&str> {
        plan.arms.iter().map(|arm| arm.name.as_str()).collect()
    }

    #[test]
    fn settings_of_arms_and_stages_override_common_ones() {
        let full = plan(TEXT, false, None).unwrap();
        assert_eq!(names(&full), ["code-2", "code-3", "pca"]);
        assert_eq!(full.seeds, 3);
        let first: Table = "data = { source = 'mnist', validation = 0.0 }
            model = { kind = 'dense', code = 3, linear_path = 'off' }\nschedule = { epochs = 50, batch = 100, seed = 7 }"
            .parse()
            .unwrap();
        assert_eq!(full.arms[1].stages[0].with_seed(7), first);
        assert_eq!(full.arms[1].stages[1].overrides, Table::new());
        let published: Vec<_> =
            full.targets.iter().map(|it| (it.arm.as_str(), it.published())).collect();
        assert_eq!(published, [("code-2", Some(2.0)), ("code-3", Some(3.0))]);

        let quick = plan(TEXT, true, None).unwrap();
        assert_eq!((names(&quick), quick.seeds), (vec!["code-3", "pca"], 1));
        let overrides =
            |stage: &ResolvedStage, path: [&str; 2]| stage.overrides[path[0]][path[1]].clone();
        let [first, second] = &quick.arms[0].stages[..] else { panic!() };
        assert_eq!(overrides(first, ["data", "source"]), "digits".into());
        assert_eq!(overrides(first, ["data", "validation"]), 0.0.into());
        assert_eq!(overrides(first, ["schedule", "epochs"]), 2.into());
        assert_eq!(overrides(second, ["schedule", "epochs"]), 1.into());
    }

    /// `--epochs` does not change PCA, which is not trained.
    #[test]
    fn epochs_replace_those_of_trained_stages_only() {
        let untrained = plan(TEXT, true, Some(0)).unwrap();
        for stage in &untrained.arms[0].stages {
            assert_eq!(stage.overrides["schedule"]["epochs"], 0.into());
        }
        let pca = &untrained.arms[1].stages[0];
        assert_eq!(pca.overrides["schedule"]["epochs"], 2.into());
    }

    #[test]
    fn seeds_are_of_trained_stages_only() {
        let plan = plan(TEXT, true, None).unwrap();
        let seed =
            |arm: usize| plan.arms[arm].stages[0].with_seed(7)["schedule"].get("seed").cloned();
        assert_eq!((seed(0), seed(1)), (Some(7.into()), None));
    }

    #[test]
    fn the_hash_covers_what_decides_the_results_and_nothing_else() {
        let hash = |text: &str| plan(text, false, None).unwrap().arms[0].hash();
        let same = [
            TEXT.replace("title = 't'", "title = 'other' # a comment"),
            TEXT.replace("minutes = 1", "minutes = 2\nseeds = 9"),
            TEXT.replace("published = ['2.0', '3.0']", "published = ['1.0', '3.0']"),
            TEXT.replace("kind = 'dense', code = 8", "code = 8, kind = 'dense'"),
        ];
        assert!(same.iter().all(|text| hash(text) == hash(TEXT)));
        let other = [
            TEXT.replace("epochs = 50", "epochs = 51"),
            TEXT.replace("command = 'finetune'", "command = 'classify'\nname = 'finetune'"),
            TEXT.replace("validation = 0.0", "validation = 0.1"),
        ];
        assert!(other.iter().all(|text| hash(text) != hash(TEXT)));
    }

    #[test]
    fn settings_without_effect_are_rejected() {
        for (from, to, message) in [
            ("common.train = {", "common.trian = {", "common: no stage is named `trian`"),
            (
                "quick.result]]\n        name = 'error'\n        arm = 'code'",
                "quick.result]]\n name = 'e'\n arm = 'cod'",
                "result `e`: no arm is named `cod`",
            ),
            ("'code-3', 'pca'", "'code-9'", "quick.arms: no arm is named `code-9`"),
            (
                "arm.code.finetune",
                "arm.code.finetun",
                "quick.arm: no arm is named `code` with stages finetun",
            ),
            ("schedule.batch = 100", "shedule.batch = 100", "got `shedule`"),
            (
                "['2.0', '3.0']",
                "['2.0']",
                "expected 2 published values, one for each variant of arm code, got 1",
            ),
            ("code = 2 }", "code = 2 }\n name = 'a/b'", "expected letters, digits"),
            ("'model.code' = [2, 3]", "'model.code' = 2", "vary: expected one path with a list"),
            (
                "published = ['2.0', '3.0']",
                "bar.ranks_below = ['pca']",
                "result `error`: ranks_below needs a published value",
            ),
            (
                "published = ['2.0', '3.0']",
                "published = '2.0'\nbar.ratio_to = 'pca'",
                "result `error`: needs a published value of pca to compare with",
            ),
            (
                "[[arm.stage]]\n        command = 'train'\n        model = { kind = 'pca', code = 2 }",
                "program = 'svm.py'",
                "arm pca: expected svm_rbf.py, got `svm.py`",
            ),
            (
                "[[arm.stage]]\n        command = 'train'\n        model = { kind = 'pca', code = 2 }",
                "",
                "arm pca: expected either stages or a program",
            ),
            (
                "vary = { 'model.code' = [2, 3] }",
                "vary = { 'data.seed' = [2, 3] }\nprogram = 'svm_rbf.py'",
                "vary needs stages, but the arm has a program",
            ),
        ] {
            let text = TEXT.replacen(from, to, 1);
            assert_ne!(text, TEXT, "{from}");
            let is_quick = message.contains("`e`");
            let error = plan(&text, is_quick, None).err().map(|it| it.to_string());
            assert!(error.as_ref().is_some_and(|it| it.contains(message)), "{to}: {error:?}");
        }
        let twice = TEXT.replace("'pca'", "'code-2'");
        let error = plan(&twice, false, None).err().unwrap().to_string();
        assert_eq!(error, "it.toml: arm code-2: the name is used twice");
        let only_pca = TEXT.replace("'code-3', 'pca'", "'pca'");
        let only_pca = only_pca.replace(
            "[[quick.result]]\n        name = 'error'\n        arm = 'code'",
            "[[quick.result]]\nname = 'e'\narm = 'pca'",
        );
        let error = plan(&only_pca, true, Some(0)).err().unwrap().to_string();
        assert_eq!(error, "it.toml: --epochs: this experiment has no epochs; drop the option");
    }
}
