//! The size of the images that a deformation moves the pixels of: it comes from the data.

use ae_data::Shape;
use ae_train::Corruption;
use toml::{Table, Value};

use super::Command;
use crate::error::{Error, Result};

/// Settings with the size of the data's images in every deformation.
pub(super) fn of_data(settings: &Table, shape: &Shape, command: Command) -> Result<Table> {
    let image = match *shape {
        Shape::Image { channels, height, width } => Ok([channels, height, width]),
        Shape::Table { .. } => Err(Error::usage(format!(
            "deform: needs images, but the data is a table of {shape}; use masking or gaussian"
        ))),
    };
    if command == Command::Pretrain && level(&mut settings.clone(), "objective").is_some() {
        return Err(Error::usage(
            "deform: needs images, and all but the first layer of ae pretrain are trained on codes; use ae train",
        ));
    }
    with_image(settings, image)
}

/// Settings for a run that has this corruption already, with the size of its images.
pub(super) fn of_run(settings: &Table, corruption: Corruption) -> Result<Table> {
    let image = match corruption {
        Corruption::Deform(deformation) => Ok(deformation.image),
        _ => Err(Error::usage(
            "deform: needs the size of the images, which only a run that was trained with it records; train \
             with it from the start: ae train --corrupt deform:S",
        )),
    };
    with_image(settings, image)
}

fn level<'a>(settings: &'a mut Table, section: &str) -> Option<&'a mut Value> {
    settings.get_mut(section)?.get_mut("corruption")?.get_mut("deform")
}

fn with_image(settings: &Table, image: Result<[usize; 3]>) -> Result<Table> {
    let mut settings = settings.clone();
    let is_given = ["objective", "measure"].map(|it| level(&mut settings, it).is_some());
    if is_given == [false, false] {
        return Ok(settings);
    }
    let image: Vec<Value> = image?.iter().map(|size| Value::Integer(*size as i64)).collect();
    for section in ["objective", "measure"] {
        if let Some(value) = level(&mut settings, section) {
            let mut deform = match &*value {
                Value::Table(deform) => deform.clone(),
                pixels => [("pixels".to_owned(), pixels.clone())].into_iter().collect(),
            };
            deform.insert("image".into(), Value::Array(image.clone()));
            *value = Value::Table(deform);
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Table {
        text.parse().unwrap()
    }

    /// Also over the size of another run's images.
    #[test]
    fn the_size_is_that_of_the_data() {
        let image = Shape::image(3, 8, 9);
        for given in ["{ deform = 2.0 }", "{ deform = { pixels = 2.0, image = [1, 5, 5] } }"] {
            for section in ["objective", "measure"] {
                let given = settings(&format!("[{section}]\ncorruption = {given}"));
                let sized = of_data(&given, &image, Command::Train).unwrap();
                let corruption = sized[section]["corruption"].clone().try_into::<Corruption>();
                assert_eq!(corruption.unwrap(), Corruption::deform(2.0, [3, 8, 9]).unwrap());
                let known = Corruption::deform(1.0, [3, 8, 9]).unwrap();
                assert_eq!(of_run(&given, known).unwrap(), sized);
            }
        }
        let other = settings("[objective]\ncorruption = { masking = 0.5 }");
        assert_eq!(of_data(&other, &Shape::table(3), Command::Train).unwrap(), other);
    }

    #[test]
    fn without_images_it_is_refused() {
        let given = settings("[objective]\ncorruption = { deform = 2.0 }");
        let image = Shape::image(1, 8, 8);
        let message = of_data(&given, &image, Command::Pretrain).unwrap_err().to_string();
        assert!(message.contains("use ae train"), "{message}");
        let message = of_run(&given, Corruption::None).unwrap_err().to_string();
        assert!(message.contains("needs the size of the images"), "{message}");
    }
}
