//! Iterative quantisation: the rotation of codes that suits their signs best.

use chacha20::ChaCha8Rng;
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use super::Codes;
use crate::{Error, Result};

/// A rotation `R` of centred codes `V` that makes them near to their signs: a minimum of
/// `|sign(V R) - V R|^2` (Gong & Lazebnik 2011, doi 10.1109/CVPR.2011.5995432; journal version 2013, doi
/// 10.1109/TPAMI.2012.193).
///
/// From a random rotation, each iteration takes the signs `B = sign(V R)`, then the best rotation for them:
/// with the singular value decomposition `B^T V = S W T^T` it is `R = T S^T`. The loss never rises.
///
/// Applied to the codes of PCA it is the classical rival of learned binary codes; it may be applied to the codes
/// of any model.
#[derive(Clone, Debug)]
pub struct Itq {
    mean: Vec<f32>,
    rotation: DMatrix<f32>,
    losses: Vec<f64>,
}

impl Itq {
    /// The iterations of the paper.
    pub const ITERATIONS: usize = 50;

    /// Fits a rotation to codes.
    ///
    /// # Errors
    /// If there is no code.
    pub fn fit(codes: &Codes, iterations: usize, seed: u64) -> Result<Self> {
        if codes.is_empty() {
            return Err(Error::setting("codes", "at least one", "none"));
        }
        let (mean, width) = (codes.mean(), codes.width());
        let values = DMatrix::from_row_slice(codes.len(), width, codes.centered(&mean).values());
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let random = DMatrix::from_fn(width, width, |_, _| StandardNormal.sample(&mut generator));
        let mut rotation: DMatrix<f32> = DMatrix::<f32>::qr(random).q();
        let mut losses = Vec::with_capacity(iterations + 1);
        for iteration in 0..=iterations {
            let rotated = &values * &rotation;
            let signs = rotated.map(sign);
            losses.push(f64::from((&signs - &rotated).norm_squared()) / codes.len() as f64);
            if iteration == iterations {
                break;
            }
            let svd = signs.tr_mul(&values).cast::<f64>().svd(true, true);
            let (Some(s), Some(t)) = (svd.u, svd.v_t) else {
                return Err(Error::setting("codes", "a singular value decomposition", "none"));
            };
            rotation = (s * t).transpose().cast::<f32>();
        }
        Ok(Self { mean, rotation, losses })
    }

    /// `|sign(V R) - V R|^2` per code, before the first iteration and after each.
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// The codes, centred and rotated: their signs are the bits, so the thresholds are 0.
    ///
    /// # Errors
    /// If the width is not that of the fitted codes.
    pub fn apply(&self, codes: &Codes) -> Result<Codes> {
        let width = self.mean.len();
        if codes.width() != width {
            return Err(Error::setting("width of a code", width.to_string(), codes.width()));
        }
        let centered = codes.centered(&self.mean);
        let rows = DMatrix::from_row_slice(codes.len(), width, centered.values());
        Codes::new((rows * &self.rotation).transpose().as_slice().to_vec(), width)
    }
}

fn sign(value: f32) -> f32 {
    if value >= 0.0 { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The corners of a square with half diagonal sqrt(2), turned by 45 degrees: (sqrt 2, 0), (0, sqrt 2) and their
    /// opposites. Turned back they are (1, 1), (-1, 1), ..., equal to their signs: the loss is 0.
    #[test]
    fn a_turned_square_is_turned_back() {
        let d = 2f32.sqrt();
        let codes = Codes::new(vec![d, 0.0, 0.0, d, -d, 0.0, 0.0, -d], 2).unwrap();
        let itq = Itq::fit(&codes, Itq::ITERATIONS, 3).unwrap();
        assert!(itq.losses().last().unwrap() < &1e-9, "{:?}", itq.losses());
        let turned = itq.apply(&codes).unwrap();
        assert!(turned.values().iter().all(|v| (v.abs() - 1.0).abs() < 1e-5), "{turned:?}");
    }

    #[test]
    fn the_loss_never_rises_and_lengths_stay() {
        let values: Vec<f32> = (0..600).map(|i| ((i * 7919 % 1009) as f32 / 500.0) - 1.0).collect();
        let codes = Codes::new(values, 6).unwrap();
        let itq = Itq::fit(&codes, 20, 0).unwrap();
        assert!(itq.losses().windows(2).all(|pair| pair[1] <= pair[0] + 1e-6));
        assert!(itq.losses()[20] < itq.losses()[0]);
        let length = |codes: &Codes| codes.row(5).iter().map(|v| v * v).sum::<f32>();
        let centered = codes.centered(&codes.mean());
        assert!((length(&itq.apply(&codes).unwrap()) - length(&centered)).abs() < 1e-4);
        assert!(itq.apply(&Codes::new(vec![0.0], 1).unwrap()).is_err());
    }
}
