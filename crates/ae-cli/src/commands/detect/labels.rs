//! Which labels are those of anomalies.

use ae_data::Samples;

/// Labels that mean an anomaly.
const ANOMALIES: [&str; 6] = ["1", "true", "yes", "anomaly", "anomalous", "outlier"];

/// Labels that mean a normal row.
const NORMAL: [&str; 5] = ["0", "false", "no", "normal", "inlier"];

/// Labels named in a message at most.
const SHOWN: usize = 20;

/// What the labels of samples say.
#[derive(Debug, PartialEq, Eq)]
pub enum Reading {
    /// There are none.
    Unlabelled,
    /// They do not say which class is that of the anomalies, and why.
    Unclear(String),
    /// Which samples are anomalies.
    Known(Vec<bool>),
}

/// Which samples are anomalies: those of the class `wanted`, or else those of a class whose name says it, if there
/// are no more than two classes.
pub fn anomalies(wanted: Option<&str>, samples: &Samples) -> Reading {
    let Some(labels) = samples.labels() else { return Reading::Unlabelled };
    match class(wanted, labels.names()) {
        Ok(class) => {
            let is_anomaly = labels.classes().iter().map(|label| Some(*label as usize) == class);
            Reading::Known(is_anomaly.collect())
        }
        Err(why) => Reading::Unclear(why),
    }
}

/// The class of the anomalies, if one of these classes is it.
fn class(wanted: Option<&str>, names: &[String]) -> Result<Option<usize>, String> {
    if let Some(wanted) = wanted {
        return Ok(names.iter().position(|name| name == wanted));
    }
    let is_in = |list: &[&str], name: &String| list.contains(&name.to_lowercase().as_str());
    let anomalies = names.iter().filter(|name| is_in(&ANOMALIES, name)).count();
    let class = names.iter().position(|name| is_in(&ANOMALIES, name));
    // scikit-learn's -1 and 1 are outliers and inliers, those of other programs the reverse.
    let is_signed = names.iter().any(|name| name == "-1");
    match names {
        [only] if is_in(&NORMAL, only) => Ok(None),
        [_] | [_, _] if anomalies == 1 && !is_signed => Ok(class),
        _ => Err(format!("its labels do not say what an anomaly is ({})", shown(names))),
    }
}

/// The names of classes in a message.
pub fn shown(names: &[String]) -> String {
    let more = match names.len() {
        0..=SHOWN => String::new(),
        count => format!(" and {} more", count - SHOWN),
    };
    names[..names.len().min(SHOWN)].join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_found_by_name() {
        let of = |wanted, names: &[&str]| {
            class(wanted, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of(None, &["0", "1"]), Ok(Some(1)));
        assert_eq!(of(None, &["Outlier", "fine"]), Ok(Some(0)));
        assert_eq!(of(None, &["0"]), Ok(None));
        assert_eq!(of(None, &["1"]), Ok(Some(0)));
        assert_eq!(of(Some("cat"), &["cat", "dog", "1"]), Ok(Some(0)));
        assert_eq!(of(Some("cow"), &["cat", "dog"]), Ok(None));
        for unclear in [
            vec!["-1", "1"],
            vec!["cat", "dog"],
            vec!["0", "1", "2"],
            vec!["1", "yes"],
            vec!["cat"],
        ] {
            let why = of(None, &unclear).unwrap_err();
            assert!(why.ends_with(&format!("({})", unclear.join(", "))), "{why}");
        }
    }

    #[test]
    fn many_classes_are_shortened() {
        let names: Vec<String> = (0..22).map(|class| class.to_string()).collect();
        assert!(shown(&names).ends_with("18, 19 and 2 more"), "{}", shown(&names));
        assert_eq!(shown(&names[..3]), "0, 1, 2");
    }
}
