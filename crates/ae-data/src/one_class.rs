//! One class against the rest: what is normal, and what is not.

use crate::error::{list, quote};
use crate::{Error, Labels, Parts, Result, Samples};

/// Classes that an error names at most.
const NAMED: usize = 100;

/// Keeps of the training part the samples of the class `normal` alone; the test part stays whole,
/// and its labels become `normal` (0) and `anomalous` (1). All training labels are `normal`.
///
/// What is learned from one class is then measured by how well it tells that class from the others
/// (L. Ruff et al., "Deep one-class classification", ICML 2018, section 4).
///
/// ```
/// use ae_data::{Parts, digits, one_class};
/// let digits = Parts { training: digits::generate(100, 0), test: digits::generate(50, 1) };
/// let threes = one_class(&digits, "3")?;
/// assert_eq!((threes.training.len(), threes.test.len()), (10, 50));
/// # Ok::<(), ae_data::Error>(())
/// ```
///
/// `normal` is the name of a class. A number is the name of one where a class is called by it (1 is
/// also `1.0` and `01`); where no class is a number, it is the place of a class from 0, in the
/// order of [`Labels::names`].
///
/// # Errors
/// If a part has no labels, or the training part no samples of this class.
pub fn one_class(parts: &Parts, normal: &str) -> Result<Parts> {
    let labels = labels(&parts.training)?;
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
    let training = told_apart(parts.training.subset(&rows), name)?;
    Ok(Parts { training, test: told_apart(parts.test.clone(), name)? })
}

/// The class of a name, else the one class of this number, else of this name in other case; else,
/// where no class is a number, the one in this place.
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

/// The name of a class, as it is given: a number without marks.
fn called(class: usize, labels: &Labels) -> String {
    let name = &labels.names()[class];
    if name.parse::<i128>().is_ok() { name.clone() } else { quote(name) }
}

fn told_apart(samples: Samples, normal: &str) -> Result<Samples> {
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

    fn part(classes: &[u32], names: &[&str]) -> Samples {
        let values = (0..classes.len()).map(|value| value as f32).collect();
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let labels = Labels::new(classes.to_vec(), names).unwrap();
        Samples::from_floats(values, Shape::table(1)).unwrap().with_labels(labels).unwrap()
    }

    #[test]
    fn training_is_of_one_class_and_the_test_of_all() {
        let names = ["a", "b", "c"];
        let parts =
            Parts { training: part(&[1, 0, 1, 2], &names), test: part(&[2, 1, 0, 1], &names) };
        let against = one_class(&parts, "b").unwrap();
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
    fn a_class_is_called_by_its_name() {
        let find = |names: &[&str], asked| {
            find(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), asked)
        };
        // Classes that are numbers are never places.
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
    fn what_is_no_class_is_refused_with_those_that_are() {
        let message = |training: Samples, normal: &str| {
            let parts = Parts { test: training.clone(), training };
            one_class(&parts, normal).unwrap_err().to_string()
        };
        assert_eq!(
            message(part(&[0, 2, 2], &["0", "1", "Dress"]), "1"),
            "normal class: expected 0 or `Dress`, got `1`"
        );
        assert!(message(part(&[0, 1], &["0", "1"]), "7").ends_with("expected 0 or 1, got `7`"));
        let many: Vec<String> = (0..1000).map(|class| class.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let text = message(part(&(0..1000).collect::<Vec<u32>>(), &many), "1000");
        assert!(text.ends_with("98 or 99 or another, got `1000`") && text.len() < 1000, "{text}");
        let bare = Samples::from_floats(vec![1.0, 2.0], Shape::table(1)).unwrap();
        let expected = "normal class: expected samples with labels, got samples without";
        assert_eq!(message(bare, "0"), expected);
    }
}
