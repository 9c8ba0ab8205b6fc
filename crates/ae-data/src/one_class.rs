//! One class against the rest, for anomaly detection.

use crate::error::{list, quote};
use crate::{Error, Labels, Result, Samples, Splits};

/// The most classes that an error lists.
const NAMED: usize = 100;

/// Keeps only the training samples of the class `normal`. The test set keeps all samples, with the
/// labels `normal` (0) and `anomalous` (1). All training labels are `normal`.
///
/// A model trained on one class can then be measured by how well it separates that class from the
/// others (L. Ruff et al., "Deep one-class classification", ICML 2018, section 4).
///
/// ```
/// use ae_data::{Splits, digits, one_class};
/// let digits = Splits { training: digits::generate(100, 0), test: digits::generate(50, 1) };
/// let threes = one_class(&digits, "3")?;
/// assert_eq!((threes.training.len(), threes.test.len()), (10, 50));
/// # Ok::<(), ae_data::Error>(())
/// ```
///
/// `normal` is the name of a class. If classes are named by numbers, it may be such a number in any
/// form (1 is also `1.0` and `01`). If no class is named by a number, it may be the index of a
/// class from 0, in the order of [`Labels::names`].
///
/// # Errors
/// If a set has no labels, or the training set no samples of this class.
pub fn one_class(splits: &Splits, normal: &str) -> Result<Splits> {
    let labels = labels(&splits.training)?;
    let mut there = vec![false; labels.names().len()];
    labels.classes().iter().for_each(|class| there[*class as usize] = true);
    let Some(normal) = find(labels.names(), normal).filter(|class| there[*class]) else {
        let classes: Vec<usize> = (0..there.len()).filter(|class| there[*class]).collect();
        let shown =
            classes.iter().take(NAMED).map(|class| called(*class, labels)).collect::<Vec<_>>();
        let more = if classes.len() > NAMED { " or another" } else { "" };
        let expected = list(&shown, "or") + more;
        return Err(Error::invalid("normal class", expected, quote(normal)));
    };
    let name = &labels.names()[normal];
    let rows = labels.classes().iter().enumerate();
    let rows: Vec<usize> =
        rows.filter(|(_, class)| **class as usize == normal).map(|(row, _)| row).collect();
    let training = with_binary_labels(splits.training.subset(&rows), name)?;
    Ok(Splits { training, test: with_binary_labels(splits.test.clone(), name)? })
}

/// The class of this name; else the only class of this number; else the only class of this name in
/// another case; else, if no class is named by a number, the class of this index.
pub(crate) fn find(names: &[String], asked: &str) -> Option<usize> {
    let asked = asked.trim();
    let only = |fits: &dyn Fn(&str) -> bool| {
        let mut found = (0..names.len()).filter(|class| fits(&names[*class]));
        found.next().filter(|_| found.next().is_none())
    };
    let number = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite());
    let same_number = |name: &str| number(name).is_some() && number(name) == number(asked);
    let numbers = names.iter().any(|name| number(name).is_some());
    let place = || asked.parse().ok().filter(|place| !numbers && *place < names.len());
    (names.iter().position(|name| name == asked))
        .or_else(|| only(&same_number))
        .or_else(|| only(&|name| name.to_lowercase() == asked.to_lowercase()))
        .or_else(place)
}

fn labels(samples: &Samples) -> Result<&Labels> {
    let missing = || Error::invalid("normal class", "samples with labels", "samples without");
    samples.labels().ok_or_else(missing)
}

/// The name of a class as a user writes it: numbers without quotes.
fn called(class: usize, labels: &Labels) -> String {
    let name = &labels.names()[class];
    if name.parse::<i128>().is_ok() { name.clone() } else { quote(name) }
}

fn with_binary_labels(samples: Samples, normal: &str) -> Result<Samples> {
    let labels = labels(&samples)?;
    let is_normal: Vec<bool> = labels.names().iter().map(|name| name == normal).collect();
    let classes = labels.classes().iter().map(|class| u32::from(!is_normal[*class as usize]));
    let names = ["normal", "anomalous"].map(str::to_owned).to_vec();
    let labels = Labels::new(classes.collect(), names)?;
    samples.with_labels(labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    fn samples(classes: &[u32], names: &[&str]) -> Samples {
        let values = (0..classes.len()).map(|value| value as f32).collect();
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let labels = Labels::new(classes.to_vec(), names).unwrap();
        Samples::from_floats(values, Shape::table(1)).unwrap().with_labels(labels).unwrap()
    }

    #[test]
    fn training_keeps_one_class_and_the_test_set_all() {
        let names = ["a", "b", "c"];
        let splits = Splits {
            training: samples(&[1, 0, 1, 2], &names),
            test: samples(&[2, 1, 0, 1], &names),
        };
        let against = one_class(&splits, "b").unwrap();
        assert_eq!([against.training.row(0), against.training.row(1)], [[0.0], [2.0]]);
        assert_eq!(against.training.labels().unwrap().classes(), [0, 0]);
        assert_eq!(against.test.len(), 4);
        let labels = against.test.labels().unwrap();
        assert_eq!(
            (labels.classes(), labels.names()),
            (&[1, 0, 1, 0][..], &["normal".to_owned(), "anomalous".to_owned()][..])
        );
    }

    #[test]
    fn classes_are_found_by_name_or_number() {
        let find = |names: &[&str], asked| {
            find(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), asked)
        };
        // A number is no index where classes are named by numbers.
        assert_eq!(find(&["1", "2", "3"], "1"), Some(0));
        assert_eq!(find(&["1", "2", "3"], "0"), None);
        assert_eq!(find(&["-1", "1"], "1"), Some(1));
        assert_eq!(find(&["-1", "1"], "-1"), Some(0));
        assert_eq!(find(&["0.0", "1.0"], "1"), Some(1));
        assert_eq!(find(&["01", "02"], "2"), Some(1));
        assert_eq!(find(&["cat", "Dog"], "dog"), Some(1));
        assert_eq!(find(&["cat", "Dog"], "0"), Some(0));
        assert_eq!(find(&["cat", "Dog"], "2"), None);
        assert_eq!(find(&["cat", "2"], "0"), None);
    }

    #[test]
    fn unknown_class_is_refused_with_the_known_ones() {
        let message = |training: Samples, normal: &str| {
            let splits = Splits { test: training.clone(), training };
            one_class(&splits, normal).unwrap_err().to_string()
        };
        assert_eq!(
            message(samples(&[0, 2, 2], &["0", "1", "Dress"]), "1"),
            "normal class: expected 0 or `Dress`, got `1`"
        );
        assert!(message(samples(&[0, 1], &["0", "1"]), "7").ends_with("expected 0 or 1, got `7`"));
        let many: Vec<String> = (0..1000).map(|class| class.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let text = message(samples(&(0..1000).collect::<Vec<u32>>(), &many), "1000");
        assert!(text.ends_with("98 or 99 or another, got `1000`") && text.len() < 1000, "{text}");
        let bare = Samples::from_floats(vec![1.0, 2.0], Shape::table(1)).unwrap();
        let expected = "normal class: expected samples with labels, got samples without";
        assert_eq!(message(bare, "0"), expected);
    }
}
