//! An edition of an experiment, full or quick: every run it is made of, and what is expected of them.

use toml::{Table, Value};

use super::expected::{Expected, Printed, Published};
use super::experiment::{Arm, Experiment};
use super::shelf::{PROGRAM, program};
use super::way::{Program, Step, Way, put};
use crate::error::Result;
use crate::recipe::merge;

/// An experiment as it is run.
pub struct Edition {
    pub seeds: u64,
    pub arms: Vec<Way>,
    pub results: Vec<Expected>,
}

/// An arm's name for one of the values that it varies by, and the path and that value, if it does.
type Variant = (String, Option<(String, Value)>);

/// Sections of a recipe that a stage may have; data only the first.
const SECTIONS: [&str; 6] = ["data", "model", "objective", "schedule", "head", "measure"];

impl Experiment {
    /// The edition that is run; with `epochs`, every schedule has so many.
    pub fn edition(&self, is_quick: bool, epochs: Option<usize>) -> Result<Edition> {
        self.check_names()?;
        let mut arms = Vec::new();
        for arm in &self.arms {
            for (name, varied) in self.variants(arm)? {
                let chosen = self.quick.arms.as_ref().filter(|_| is_quick);
                if chosen.is_none_or(|them| them.contains(&name) || them.contains(&arm.name)) {
                    arms.push(self.way(arm, name, varied.as_ref(), is_quick, epochs)?);
                }
            }
        }
        if epochs.is_some() && !arms.iter().any(|way| way.steps.iter().any(Step::is_in_epochs)) {
            return Err(self.error("--epochs: nothing here is trained in epochs; leave it out"));
        }
        let (seeds, expected) = match is_quick {
            true => (self.quick.seeds, &self.quick.results),
            false => (self.seeds, &self.results),
        };
        let mut results = Vec::new();
        for it in expected {
            results.extend(self.each(it, &arms)?);
        }
        let edition = Edition { seeds, arms, results };
        edition.check().map_err(|message| self.error(message))?;
        Ok(edition)
    }

    /// Whether what is said of stages and arms by their names is of some that there are: what is not would
    /// be said in vain.
    fn check_names(&self) -> Result<()> {
        let has_stage =
            |arm: &Arm, name: &String| arm.stages.iter().any(|stage| stage.name() == name);
        let unknown = self
            .common
            .keys()
            .chain(self.quick.common.keys())
            .find(|name| !self.arms.iter().any(|arm| has_stage(arm, name)));
        if let Some(name) = unknown {
            return Err(self.error(format!("common: expected stages that there are, got `{name}`")));
        }
        for (name, stages) in &self.quick.arm {
            let arm = self.arms.iter().find(|arm| arm.name == *name);
            let is_known = arm.is_some_and(|arm| stages.keys().all(|it| has_stage(arm, it)));
            if !is_known {
                let stages: Vec<&str> = stages.keys().map(String::as_str).collect();
                return Err(self.error(format!(
                    "quick.arm: expected an arm and stages that there are, got `{name}` with {}",
                    stages.join(", ")
                )));
            }
        }
        for name in self.quick.arms.iter().flatten() {
            let variants = self.arms.iter().map(|arm| self.variants(arm));
            let variants = variants.collect::<Result<Vec<_>>>()?;
            let is_arm = self.arms.iter().any(|arm| arm.name == *name);
            if !is_arm && !variants.iter().flatten().any(|(known, _)| known == name) {
                return Err(self.error(format!("quick.arms: expected arms, got `{name}`")));
            }
        }
        Ok(())
    }

    /// The names of an arm's variants, and the key and value by which each differs.
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

    fn way(
        &self,
        arm: &Arm,
        name: String,
        varied: Option<&(String, Value)>,
        is_quick: bool,
        epochs: Option<usize>,
    ) -> Result<Way> {
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
            return Err(self.error(format!("arm {name}: expected stages to vary, got a program")));
        }
        if program.is_some() != arm.stages.is_empty() {
            return Err(self.error(format!("arm {name}: expected either stages or a program")));
        }
        let mut steps: Vec<Step> = Vec::new();
        for stage in &arm.stages {
            let quick_arm = self.quick.arm.get(&arm.name);
            let quick = [
                self.quick.common.get(stage.name()),
                quick_arm.and_then(|stages| stages.get(stage.name())),
            ];
            let mut given = Table::new();
            let overs = [self.common.get(stage.name()), Some(&stage.given)].into_iter();
            for over in overs.chain(quick.into_iter().filter(|_| is_quick)).flatten() {
                merge(&mut given, over);
            }
            if steps.is_empty() {
                let mut all = Table::from_iter([("data".to_owned(), data.clone().into())]);
                merge(&mut all, &given);
                given = all;
                if let Some((path, value)) = varied {
                    put(&mut given, path, value.clone());
                }
            }
            if let Some(key) = given.keys().find(|key| !SECTIONS.contains(&key.as_str())) {
                return Err(self.error(format!(
                    "arm {name}, stage {}: expected the sections {}, got `{key}`",
                    stage.name(),
                    SECTIONS.join(", ")
                )));
            }
            let mut step = Step { name: stage.name().to_owned(), command: stage.command, given };
            if let Some(epochs) = epochs.filter(|_| step.is_in_epochs()) {
                let epochs = i64::try_from(epochs).unwrap_or(i64::MAX);
                put(&mut step.given, "schedule.epochs", epochs.into());
            }
            steps.push(step);
        }
        Ok(Way { name, family: arm.name.clone(), steps, program })
    }

    /// A result for each of an arm's values, where there is a published value for each.
    fn each(&self, expected: &Expected, arms: &[Way]) -> Result<Vec<Expected>> {
        let Some(Published::Each(values)) = &expected.published else {
            return Ok(vec![expected.clone()]);
        };
        let family: Vec<&Way> = arms.iter().filter(|way| way.family == expected.arm).collect();
        if family.len() != values.len() {
            return Err(self.error(format!(
                "result `{}`: expected {} published values, as arm {} has, got {}",
                expected.name,
                family.len(),
                expected.arm,
                values.len()
            )));
        }
        let one = |(way, value): (&Way, &Printed)| Expected {
            name: format!("{}, {}", expected.name, way.name),
            arm: way.name.clone(),
            published: Some(Published::One(value.clone())),
            ..expected.clone()
        };
        Ok(family.into_iter().zip(values).map(one).collect())
    }
}

impl Edition {
    /// The arms that a result is about.
    pub fn family(&self, arm: &str) -> Vec<&Way> {
        self.arms.iter().filter(|way| way.name == arm || way.family == arm).collect()
    }

    /// Every run that it is made of: a seed and an arm.
    pub fn runs(&self) -> Vec<(u64, &Way)> {
        let of_seed = |seed| {
            let has_it = move |way: &&Way| seed < self.seeds_of(&way.name);
            self.arms.iter().filter(has_it).map(move |way| (seed, way))
        };
        (0..self.seeds).flat_map(of_seed).collect()
    }

    /// The seeds of an arm: nothing that another program does is drawn.
    pub fn seeds_of(&self, arm: &str) -> u64 {
        let is_program = |way: &&Way| way.program.is_some();
        if self.family(arm).iter().all(is_program) { 1 } else { self.seeds }
    }

    /// Whether every name stands for something.
    fn check(&self) -> Result<(), String> {
        let known = |arm: &str, stage: Option<&String>, of: &str| {
            let family = self.family(arm);
            let has = |way: &&Way| stage.is_none_or(|it| way.steps.iter().any(|s| s.name == *it));
            match !family.is_empty() && family.iter().all(has) {
                true => Ok(()),
                false => Err(format!(
                    "result `{of}`: expected an arm that there is, got `{arm}`{}",
                    stage.map(|stage| format!(" with stage `{stage}`")).unwrap_or_default()
                )),
            }
        };
        for it in &self.results {
            known(&it.arm, it.stage.as_ref(), &it.name)?;
            for other in it.bar.below.iter().chain(&it.bar.above) {
                known(&other.arm, other.stage.as_ref(), &it.name)?;
            }
            let beside_published = [
                ("error_rate", it.bar.error_rate),
                ("equal_places", it.bar.equal_places.is_some()),
                ("ranks_below", !it.bar.ranks_below.is_empty()),
                ("ratio_to", it.bar.ratio_to.is_some()),
            ];
            if let Some((what, _)) = beside_published.into_iter().find(|(_, is_given)| *is_given)
                && it.published.is_none()
            {
                return Err(format!("result `{}`: {what}: expected a published value", it.name));
            }
            for arm in it.bar.ranks_below.iter().chain(&it.bar.ratio_to) {
                known(arm, it.stage.as_ref(), &it.name)?;
                let is_beside = |other: &&Expected| {
                    (&other.arm, &other.measure, &other.stage) == (arm, &it.measure, &it.stage)
                };
                if self.results.iter().find(is_beside).and_then(Expected::published).is_none() {
                    return Err(format!(
                        "result `{}`: expected a published value of {arm} too, which it is held against",
                        it.name
                    ));
                }
            }
        }
        let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        let steps = self.arms.iter().flat_map(|way| way.steps.iter().map(|step| &step.name));
        let mut all = self.arms.iter().map(|way| &way.name).chain(steps);
        if let Some(name) = all.find(|name| !name.chars().all(is_plain)) {
            return Err(format!(
                "names of arms and stages: expected letters, digits, -, _ and ., got `{name}`"
            ));
        }
        let mut names: Vec<&str> = self.arms.iter().map(|way| way.name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("arm {}: expected each name once, got it twice", pair[0])),
            None if names.is_empty() => Err("expected at least one arm, got none".to_owned()),
            None => Ok(()),
        }
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

    fn edition(text: &str, is_quick: bool, epochs: Option<usize>) -> Result<Edition> {
        Experiment::parse("it", text)?.edition(is_quick, epochs)
    }

    fn names(edition: &Edition) -> Vec<&str> {
        edition.arms.iter().map(|way| way.name.as_str()).collect()
    }

    #[test]
    fn what_is_particular_goes_over_what_is_common() {
        let full = edition(TEXT, false, None).unwrap();
        assert_eq!(names(&full), ["code-2", "code-3", "pca"]);
        assert_eq!(full.seeds, 3);
        let first: Table = "data = { source = 'mnist', validation = 0.0 }
            model = { kind = 'dense', code = 3 }\nschedule = { epochs = 50, batch = 100, seed = 7 }"
            .parse()
            .unwrap();
        assert_eq!(full.arms[1].steps[0].seeded(7), first);
        assert_eq!(full.arms[1].steps[1].given, Table::new());
        let told: Vec<_> =
            full.results.iter().map(|it| (it.arm.as_str(), it.published())).collect();
        assert_eq!(told, [("code-2", Some(2.0)), ("code-3", Some(3.0))]);

        let quick = edition(TEXT, true, None).unwrap();
        assert_eq!((names(&quick), quick.seeds), (vec!["code-3", "pca"], 1));
        let given = |step: &Step, path: [&str; 2]| step.given[path[0]][path[1]].clone();
        let [first, second] = &quick.arms[0].steps[..] else { panic!() };
        assert_eq!(given(first, ["data", "source"]), "digits".into());
        assert_eq!(given(first, ["data", "validation"]), 0.0.into());
        assert_eq!(given(first, ["schedule", "epochs"]), 2.into());
        assert_eq!(given(second, ["schedule", "epochs"]), 1.into());
    }

    /// PCA is computed in one go, and nothing in it is drawn.
    #[test]
    fn epochs_and_seeds_are_for_what_has_them() {
        let never = edition(TEXT, true, Some(0)).unwrap();
        for step in &never.arms[0].steps {
            assert_eq!(step.given["schedule"]["epochs"], 0.into());
        }
        let pca = &never.arms[1].steps[0];
        assert_eq!(pca.given["schedule"]["epochs"], 2.into());
    }

    #[test]
    fn a_hash_is_of_what_decides_and_of_nothing_else() {
        let hash = |text: &str| edition(text, false, None).unwrap().arms[0].hash();
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
    fn what_would_be_said_in_vain_is_refused() {
        for (from, to, message) in [
            ("common.train = {", "common.trian = {", "common: expected stages"),
            (
                "quick.result]]\n        name = 'error'\n        arm = 'code'",
                "quick.result]]\n name = 'e'\n arm = 'cod'",
                "result `e`: expected an arm",
            ),
            ("'code-3', 'pca'", "'code-9'", "quick.arms: expected arms, got `code-9`"),
            ("arm.code.finetune", "arm.code.finetun", "quick.arm: expected an arm and stages"),
            ("schedule.batch = 100", "shedule.batch = 100", "got `shedule`"),
            ("['2.0', '3.0']", "['2.0']", "expected 2 published values, as arm code has, got 1"),
            ("code = 2 }", "code = 2 }\n name = 'a/b'", "expected letters, digits"),
            ("'model.code' = [2, 3]", "'model.code' = 2", "vary: expected one path with a list"),
            (
                "published = ['2.0', '3.0']",
                "bar.ranks_below = ['pca']",
                "result `error`: ranks_below: expected a published value",
            ),
            (
                "published = ['2.0', '3.0']",
                "published = '2.0'\nbar.ratio_to = 'pca'",
                "result `error`: expected a published value of pca too",
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
                "expected stages to vary, got a program",
            ),
        ] {
            let text = TEXT.replacen(from, to, 1);
            assert_ne!(text, TEXT, "{from}");
            let is_quick = message.contains("`e`");
            let error = edition(&text, is_quick, None).err().map(|it| it.to_string());
            assert!(error.as_ref().is_some_and(|it| it.contains(message)), "{to}: {error:?}");
        }
        let twice = TEXT.replace("'pca'", "'code-2'");
        let error = edition(&twice, false, None).err().unwrap().to_string();
        assert_eq!(error, "it.toml: arm code-2: expected each name once, got it twice");
        let only_pca = TEXT.replace("'code-3', 'pca'", "'pca'");
        let only_pca = only_pca.replace(
            "[[quick.result]]\n        name = 'error'\n        arm = 'code'",
            "[[quick.result]]\nname = 'e'\narm = 'pca'",
        );
        let error = edition(&only_pca, true, Some(0)).err().unwrap().to_string();
        assert_eq!(error, "it.toml: --epochs: nothing here is trained in epochs; leave it out");
    }
}
