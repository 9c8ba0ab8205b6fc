//! Sparsity by the divergence of mean activations from a target.

use ae_models::Autoencoder;
use burn::tensor::Tensor;

use crate::penalty_kind::SPARSE;
use crate::{Error, Pass, Penalty, PenaltyKind, PenaltySetting, Result};

/// `sum_j KL(r || m_j)`, with `KL(r || m) = r log(r / m) + (1 - r) log((1 - r) / (1 - m))` in nats: the
/// Kullback-Leibler divergence of the mean activation `m_j` of each unit from a target `r` (Ng, CS294A
/// lecture notes, "Sparse autoencoder", 2011).
///
/// The mean is that of the batch, or a running one, `m <- d m + (1 - d) mean(batch)`, for batches that are
/// too small for a small target. The gradient passes through the batch alone, so with a running mean it
/// is `1 - d` times as large, and the weight must be larger by `1 / (1 - d)` for the same effect.
///
/// | parameter | range | usual | meaning |
/// |---|---|---|---|
/// | target | (0, 1) | 0.01 to 0.1 | mean activation that each unit should have |
/// | decay | \[0, 1) | 0.9 | `d`, the fraction of the running mean that each step keeps; 0: the mean of the batch |
///
/// Usual weights are between 0.1 and 10 with a cross-entropy that is summed over pixels. The code must be
/// in (0, 1), so it needs a sigmoid.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct KlSparsity {
    target: f64,
    decay: Option<f64>,
}

const TARGET: PenaltySetting = PenaltySetting {
    key: "target",
    option: "kl-target",
    value: "RATE",
    help: "Target mean activation for --kl",
    default: Some(0.05),
    is_count: false,
};

const DECAY: PenaltySetting = PenaltySetting {
    key: "decay",
    option: "kl-decay",
    value: "DECAY",
    help: "Decay of a running mean of activations for --kl; 0: the mean of each batch [default: 0]",
    default: None,
    is_count: false,
};

impl KlSparsity {
    /// How recipes and command lines offer it.
    pub const KIND: PenaltyKind = PenaltyKind {
        key: "kl",
        option: "kl",
        what: "the KL divergence of mean activations from a target",
        note: "; needs a sigmoid code",
        group: SPARSE,
        settings: &[TARGET, DECAY],
        is_number: false,
        needs_sigmoid: true,
        uses_jacobian: false,
        build: |settings| {
            let target = settings.number(&TARGET)?;
            Ok(Box::new(match settings.get(&DECAY) {
                Some(decay) => KlSparsity::running(target, decay)?,
                None => KlSparsity::toward(target)?,
            }))
        },
    };
}

/// The least distance of means from 0 and 1, so that logarithms are finite. Closer means have no gradient
/// through a sigmoid anyway.
const EDGE: f64 = 1e-7;

impl KlSparsity {
    /// A target for the mean activation over each batch.
    ///
    /// # Errors
    /// If `target` is not in (0, 1).
    pub fn toward(target: f64) -> Result<Self> {
        match target > 0.0 && target < 1.0 {
            true => Ok(Self { target, decay: None }),
            false => Err(Error::setting("target activation", "a number in (0, 1)", target)),
        }
    }

    /// A target for the running mean activation, of which each step keeps the fraction `decay`.
    ///
    /// # Errors
    /// If `target` is not in (0, 1), or `decay` not in \[0, 1).
    pub fn running(target: f64, decay: f64) -> Result<Self> {
        match (0.0..1.0).contains(&decay) {
            true => Ok(Self { decay: Some(decay), ..Self::toward(target)? }),
            false => Err(Error::setting("decay of the running mean", "a number in [0, 1)", decay)),
        }
    }

    /// The mean activation of each unit, `[code]`.
    fn mean<M>(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        let batch: Tensor<1> = pass.code.clone().mean_dim(0).squeeze_dim(0);
        let Some(decay) = self.decay else { return batch };
        // In the first step the running mean is that of the batch.
        let past = match pass.penalty_state.get(NAME) {
            Some(past) if batch.device().is_autodiff() => past.clone().autodiff(),
            Some(past) => past.clone(),
            None => batch.clone().detach(),
        };
        past * decay + batch * (1.0 - decay)
    }
}

const NAME: &str = "kl-sparsity";

impl<M: Autoencoder> Penalty<M> for KlSparsity {
    fn name(&self) -> &str {
        NAME
    }

    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        let (r, mean) = (self.target, self.mean(pass).clamp(EDGE, 1.0 - EDGE));
        let units = mean.dims()[0] as f64;
        let entropy = r * r.ln() + (1.0 - r) * (1.0 - r).ln();
        let cross = mean.clone().log() * r + (-mean + 1.0).log() * (1.0 - r);
        -cross.sum() + units * entropy
    }

    fn update_state(&self, pass: &Pass<'_, M>) -> Option<Tensor<1>> {
        self.decay.map(|_| self.mean(pass))
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!(self)
    }

    fn check(&self, model: &M) -> Result<()> {
        if model.code_activation().is_probability() {
            return Ok(());
        }
        Err(Error::Objective(format!(
            "{NAME}: expected a code in (0, 1), which a mean activation of {} needs, got {}; give \
             the code a sigmoid activation, or take the L1 penalty",
            self.target,
            model.code_activation()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{model, pass};
    use ae_models::{Activation, DenseConfig};
    use burn::tensor::Device;

    fn codes() -> Tensor<2> {
        Tensor::from_floats([[0.1, 0.6], [0.3, 0.4]], &Device::flex())
    }

    fn kl(r: f64, m: f64) -> f64 {
        r * (r / m).ln() + (1.0 - r) * ((1.0 - r) / (1.0 - m)).ln()
    }

    fn value(penalty: KlSparsity, penalty_state: Option<[f32; 2]>) -> f64 {
        let model = model(2);
        let mut pass = pass(&model, codes());
        let past = penalty_state.map(|past| Tensor::from_floats(past, &Device::flex()));
        pass.penalty_state.extend(past.map(|past| (NAME.to_owned(), past)));
        penalty.value(&pass).into_scalar()
    }

    /// Means 0.2 and 0.5 against 0.2: 0 + 0.2 ln 0.4 + 0.8 ln 1.6 = -0.183258 + 0.376003 = 0.192745.
    #[test]
    fn batch_mean_by_hand() {
        let found = value(KlSparsity::toward(0.2).unwrap(), None);
        assert!((found - 0.192_745).abs() < 1e-6, "{found}");
        assert!((kl(0.2, 0.5) - 0.192_745).abs() < 1e-6);
    }

    /// Means 0.2 and 0.5 in the batch, 0.6 and 0.1 before, half of each: 0.4 and 0.3.
    #[test]
    fn running_mean_by_hand() {
        let running = KlSparsity::running(0.2, 0.5).unwrap();
        let found = value(running, Some([0.6, 0.1]));
        assert!((found - kl(0.2, 0.4) - kl(0.2, 0.3)).abs() < 1e-6, "{found}");
        assert!((value(running, None) - 0.192_745).abs() < 1e-6);
        let batch = KlSparsity::running(0.2, 0.0).unwrap();
        assert_eq!(value(batch, Some([0.6, 0.1])), value(running, None));
        let model = model(2);
        let pass = pass(&model, codes());
        let state = Penalty::<_>::update_state(&running, &pass).unwrap().into_data();
        assert_eq!(state.iter::<f32>().collect::<Vec<_>>(), [0.2, 0.5]);
        let batch = KlSparsity::toward(0.2).unwrap();
        assert!(Penalty::<_>::update_state(&batch, &pass).is_none());
    }

    /// Means 0.2 and 0.5 now, 0.6 and 0.1 before, with decay 0.9: 0.54 + 0.02 = 0.56 and 0.09 + 0.05 = 0.14, in
    /// the penalty and in its state.
    #[test]
    fn decay_is_the_share_of_the_past() {
        let running = KlSparsity::running(0.2, 0.9).unwrap();
        let found = value(running, Some([0.6, 0.1]));
        assert!((found - kl(0.2, 0.56) - kl(0.2, 0.14)).abs() < 1e-6, "{found}");
        let model = model(2);
        let mut pass = pass(&model, codes());
        pass.penalty_state
            .insert(NAME.to_owned(), Tensor::from_floats([0.6, 0.1], &Device::flex()));
        let next = Penalty::<_>::update_state(&running, &pass).unwrap().into_data();
        for (found, expected) in next.iter::<f32>().zip([0.56, 0.14]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn codes_outside_0_to_1_and_bad_settings_are_refused() {
        let penalty = KlSparsity::toward(0.05).unwrap();
        let model = |code_activation| {
            let config = DenseConfig { code_activation, ..DenseConfig::new([3, 2]) };
            config.init(0, &Device::flex()).unwrap()
        };
        Penalty::<_>::check(&penalty, &model(Activation::Sigmoid)).unwrap();
        assert_eq!(
            Penalty::<_>::check(&penalty, &model(Activation::Relu)).unwrap_err().to_string(),
            "kl-sparsity: expected a code in (0, 1), which a mean activation of 0.05 needs, got \
             relu; give the code a sigmoid activation, or take the L1 penalty"
        );
        assert_eq!(
            KlSparsity::toward(1.0).unwrap_err().to_string(),
            "target activation: expected a number in (0, 1), got 1"
        );
        assert_eq!(
            KlSparsity::running(0.1, 1.0).unwrap_err().to_string(),
            "decay of the running mean: expected a number in [0, 1), got 1"
        );
    }
}
