//! `out[row, column] = s(sum over k of left[row, k] right[column, k] + bias[column])`, in tiles.
//!
//! A workgroup keeps `depth` steps of a tile's rows and columns in shared memory and its sums in registers. Products
//! and both directions of a convolution with their gradients differ in where the numbers are read from
//! ([`Operand`]) and written to ([`Target`]).

use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;
use cubecl::{CubeDim, cube};

use super::operand::{Phase, read};
use super::{Launch, Map, Operand, Read, Tile, activate, element, empty_like, grid, note};
use crate::Activation;

/// The operand whose sums over `k` are needed too, for the gradient of a bias.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) enum Sums {
    None,
    Left,
    Right,
}

/// What is added to a sum.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) enum Bias {
    None,
    /// One number a column.
    Columns,
}

/// Where results are written.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
enum Target {
    /// In row-major order; the sums of an operand to a separate buffer.
    Matrix,
    /// In row-major order for each part of the sum, followed by the sums of an operand.
    Parts,
    /// To pixels of the large side, of one phase.
    Phase(Map),
    /// To pixels of the large side, with a column for each phase and channel.
    Cells(Map),
}

impl Target {
    fn map(&self) -> Map {
        match self {
            Self::Matrix | Self::Parts => unreachable!("a matrix has no map"),
            Self::Phase(map) | Self::Cells(map) => *map,
        }
    }

    fn is_parts(&self) -> bool {
        *self == Self::Parts
    }

    fn is_matrix(&self) -> bool {
        *self == Self::Matrix
    }

    fn is_cells(&self) -> bool {
        matches!(self, Self::Cells(_))
    }

    fn has_phases(&self) -> bool {
        matches!(self, Self::Phase(_))
    }
}

/// The compile-time parameters of a kernel.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
struct Plan {
    tile: Tile,
    left: Read,
    right: Read,
    sums: Sums,
    bias: Bias,
    activation: Activation,
    target: Target,
}

impl Plan {
    fn pitch_left(&self) -> usize {
        self.tile.rows + 1
    }

    fn pitch_right(&self) -> usize {
        self.tile.columns + 1
    }

    fn red(&self) -> usize {
        if self.tile.groups > 1 { self.tile.rows * self.tile.columns } else { 1 }
    }
}

/// The phase of a layer of workgroups.
#[cube]
fn phase_of(layer: usize, #[comptime] target: Target) -> Phase {
    let mut phase = Phase { y: 0, x: 0, first_y: 0, first_x: 0, count_x: 1 };
    if comptime!(target.has_phases()) {
        let m = comptime!(target.map());
        phase.y = layer / m.stride;
        phase.x = layer % m.stride;
        #[unroll]
        for p in 0..m.stride {
            if phase.y == p {
                phase.first_y = comptime!(m.reach(p)[0]);
            }
            if phase.x == p {
                phase.first_x = comptime!(m.reach(p)[0]);
                phase.count_x = comptime!(m.reach(p)[1].max(1));
            }
        }
    } else if comptime!(target.is_cells()) {
        phase.count_x = comptime!(target.map().neighbours());
    }
    phase
}

/// Steps of a phase's sum.
#[cube]
fn steps_of(layer: usize, steps: usize, #[comptime] target: Target) -> usize {
    let mut found = steps;
    if comptime!(target.has_phases()) {
        let m = comptime!(target.map());
        let y = layer / m.stride;
        let x = layer % m.stride;
        #[unroll]
        for p in 0..m.stride {
            #[unroll]
            for q in 0..m.stride {
                if y == p && x == q {
                    found = comptime!(m.reach(p)[1] * m.reach(q)[1] * m.filters);
                }
            }
        }
    }
    found
}

#[cube(launch)]
fn contraction<F: Float>(
    left: &[F],
    left_outputs: &[F],
    right: &[F],
    right_outputs: &[F],
    bias: &[F],
    out: &mut [F],
    sums: &mut [F],
    rows: usize,
    columns: usize,
    steps: usize,
    steps_of_split: usize,
    layers: usize,
    left_stride: usize,
    left_step: usize,
    right_stride: usize,
    right_step: usize,
    #[comptime] p: Plan,
    #[define(F)] _dtype: ElemType,
) {
    let t = comptime!(p.tile);
    let units = comptime!(t.units());
    let group_units = comptime!(t.group());
    let down = comptime!(t.rows / t.m);
    let across = comptime!(t.columns / t.n);
    let pitch_l = comptime!(p.pitch_left());
    let pitch_r = comptime!(p.pitch_right());
    let mut l = Shared::<[F]>::new_slice(comptime!(t.depth * p.pitch_left()));
    let mut r = Shared::<[F]>::new_slice(comptime!(t.depth * p.pitch_right()));
    let mut red = Shared::<[F]>::new_slice(comptime!(p.red()));
    let mut sum = Array::<F>::new(comptime!(t.m * t.n));
    let mut of_l = Array::<F>::new(comptime!(t.m));
    let mut of_r = Array::<F>::new(comptime!(t.n));
    let mut sum_l = Array::<F>::new(comptime!(t.m));
    let mut sum_r = Array::<F>::new(comptime!(t.n));
    #[unroll]
    for i in 0..comptime!(t.m * t.n) {
        sum[i] = F::new(0.0);
    }
    #[unroll]
    for i in 0..t.m {
        sum_l[i] = F::new(0.0);
    }
    #[unroll]
    for j in 0..t.n {
        sum_r[j] = F::new(0.0);
    }
    let unit = UNIT_POS as usize;
    let group = unit / group_units;
    let ty = (unit % group_units) / across;
    let tx = (unit % group_units) % across;
    // The last workgroups of a grid that is larger than needed repeat the last tile.
    let across_columns = (columns + comptime!(t.columns - 1)) / t.columns;
    let across_rows = (rows + comptime!(t.rows - 1)) / t.rows;
    let place = clamp_max(CUBE_POS, layers * across_rows * across_columns - 1);
    let first_row = (place / across_columns % across_rows) * t.rows;
    let first_column = place % across_columns * t.columns;
    let layer = place / (across_columns * across_rows);
    let phase = phase_of(layer, p.target);
    let steps = steps_of(layer, steps, p.target);
    let mut at = 0;
    let mut end = steps;
    if comptime!(p.target.is_parts()) {
        at = layer * steps_of_split;
        end = clamp_max(at + steps_of_split, steps);
    }
    while at < end {
        let mut e = unit;
        while e < comptime!(t.depth * t.rows) {
            let mut k = e / t.rows;
            let mut row = e % t.rows;
            if comptime!(p.left.along_sum) {
                k = e % t.depth;
                row = e / t.depth;
            }
            let mut value = F::new(0.0);
            if at + k < end && first_row + row < rows {
                value = read::<F>(
                    left,
                    left_outputs,
                    first_row + row,
                    at + k,
                    left_stride,
                    left_step,
                    &phase,
                    p.left,
                );
            }
            l[k * pitch_l + row] = value;
            e += units;
        }
        let mut e = unit;
        while e < comptime!(t.depth * t.columns) {
            let mut k = e / t.columns;
            let mut column = e % t.columns;
            if comptime!(p.right.along_sum) {
                k = e % t.depth;
                column = e / t.depth;
            }
            let mut value = F::new(0.0);
            if at + k < end && first_column + column < columns {
                value = read::<F>(
                    right,
                    right_outputs,
                    first_column + column,
                    at + k,
                    right_stride,
                    right_step,
                    &phase,
                    p.right,
                );
            }
            r[k * pitch_r + column] = value;
            e += units;
        }
        sync_cube();
        for i in 0..comptime!(t.depth / t.groups) {
            let k = i * t.groups + group;
            #[unroll]
            for i in 0..t.m {
                of_l[i] = l[k * pitch_l + ty + i * down];
            }
            #[unroll]
            for j in 0..t.n {
                of_r[j] = r[k * pitch_r + tx + j * across];
            }
            #[unroll]
            for i in 0..t.m {
                #[unroll]
                for j in 0..t.n {
                    let s = comptime!(i * t.n + j);
                    sum[s] = fma(of_l[i], of_r[j], sum[s]);
                }
            }
            if comptime!(p.sums == Sums::Left) {
                #[unroll]
                for i in 0..t.m {
                    sum_l[i] += of_l[i];
                }
            }
            if comptime!(p.sums == Sums::Right) {
                #[unroll]
                for j in 0..t.n {
                    sum_r[j] += of_r[j];
                }
            }
        }
        sync_cube();
        at += t.depth;
    }
    // Sets of units take turns, so that sums are added in a fixed order.
    if comptime!(t.groups > 1) {
        #[unroll]
        for other in 1..t.groups {
            if group == other {
                #[unroll]
                for i in 0..t.m {
                    #[unroll]
                    for j in 0..t.n {
                        red[(ty + i * down) * t.columns + tx + j * across] =
                            sum[comptime!(i * t.n + j)];
                    }
                }
            }
            sync_cube();
            if group == 0 {
                #[unroll]
                for i in 0..t.m {
                    #[unroll]
                    for j in 0..t.n {
                        sum[comptime!(i * t.n + j)] +=
                            red[(ty + i * down) * t.columns + tx + j * across];
                    }
                }
            }
            sync_cube();
            if comptime!(p.sums == Sums::Left) {
                if group == other && tx == 0 {
                    #[unroll]
                    for i in 0..t.m {
                        red[ty + i * down] = sum_l[i];
                    }
                }
                sync_cube();
                if group == 0 {
                    #[unroll]
                    for i in 0..t.m {
                        sum_l[i] += red[ty + i * down];
                    }
                }
                sync_cube();
            }
            if comptime!(p.sums == Sums::Right) {
                if group == other && ty == 0 {
                    #[unroll]
                    for j in 0..t.n {
                        red[tx + j * across] = sum_r[j];
                    }
                }
                sync_cube();
                if group == 0 {
                    #[unroll]
                    for j in 0..t.n {
                        sum_r[j] += red[tx + j * across];
                    }
                }
                sync_cube();
            }
        }
    }
    if group == 0 {
        let mut base = 0;
        let mut sums_at = 0;
        if comptime!(p.target.is_parts()) {
            let mut extra = 0;
            if comptime!(p.sums == Sums::Left) {
                extra = rows;
            }
            if comptime!(p.sums == Sums::Right) {
                extra = columns;
            }
            base = layer * (rows * columns + extra);
            sums_at = base + rows * columns;
        }
        #[unroll]
        for i in 0..t.m {
            let row = first_row + ty + i * down;
            #[unroll]
            for j in 0..t.n {
                let column = first_column + tx + j * across;
                if row < rows && column < columns {
                    let mut value = sum[comptime!(i * t.n + j)];
                    if comptime!(p.target.is_parts() || p.target.is_matrix()) {
                        if comptime!(p.bias == Bias::Columns) {
                            value += bias[column];
                        }
                        out[base + row * columns + column] = activate::<F>(value, p.activation);
                    } else {
                        let m = comptime!(p.target.map());
                        let mut channel = column;
                        let mut phase_y = phase.y;
                        let mut phase_x = phase.x;
                        if comptime!(p.target.is_cells()) {
                            channel = column % m.channels;
                            let cell = column / m.channels;
                            phase_y = cell / m.stride;
                            phase_x = cell % m.stride;
                        }
                        if comptime!(p.bias == Bias::Columns) {
                            value += bias[channel];
                        }
                        let image = row / comptime!(m.h * m.w);
                        let rest = row % comptime!(m.h * m.w);
                        let y = (rest / m.w) * m.stride + phase_y;
                        let x = (rest % m.w) * m.stride + phase_x;
                        if y < m.height && x < m.width {
                            let place =
                                ((image * m.height + y) * m.width + x) * m.channels + channel;
                            out[place] = activate::<F>(value, p.activation);
                        }
                    }
                }
            }
        }
        if comptime!(p.sums == Sums::Left) {
            if first_column + tx == 0 {
                #[unroll]
                for i in 0..t.m {
                    let row = first_row + ty + i * down;
                    if row < rows {
                        if comptime!(p.target.is_parts()) {
                            out[sums_at + row] = sum_l[i];
                        } else {
                            sums[row] = sum_l[i];
                        }
                    }
                }
            }
        }
        if comptime!(p.sums == Sums::Right) {
            if first_row + ty == 0 {
                #[unroll]
                for j in 0..t.n {
                    let column = first_column + tx + j * across;
                    if column < columns {
                        if comptime!(p.target.is_parts()) {
                            out[sums_at + column] = sum_r[j];
                        } else {
                            sums[column] = sum_r[j];
                        }
                    }
                }
            }
        }
    }
}

/// A contraction as text, for reports.
fn name(plan: &Plan) -> &'static str {
    match (plan.left.operand, plan.right.operand, plan.target) {
        (Operand::Matrix, Operand::Matrix, _) => match plan.sums {
            Sums::None if plan.left.slope == Activation::Identity => "product",
            Sums::None => "gradient of a product's input",
            Sums::Left | Sums::Right => "gradient of a product's weight",
        },
        (Operand::Patches(_), ..) => "convolution",
        (Operand::Cells(_), ..) => "transposed convolution",
        _ => "gradient of a convolution's weight",
    }
}

/// One side of a contraction.
pub(crate) struct Side {
    pub(crate) values: CubeTensor,
    /// Outputs whose slope the values are multiplied by.
    pub(crate) outputs: Option<CubeTensor>,
    pub(crate) read: Read,
    /// Strides along the output and along the sum, of a matrix.
    pub(crate) strides: [usize; 2],
}

impl Side {
    /// A matrix as (index along the output, index along the sum), with any strides.
    pub(crate) fn matrix(values: CubeTensor, index_axis: usize) -> Self {
        let strides = values.meta.strides();
        let strides = [strides[index_axis], strides[1 - index_axis]];
        let read = Read {
            operand: Operand::Matrix,
            along_sum: strides[1] == 1,
            slope: Activation::Identity,
        };
        Self { values, outputs: None, read, strides }
    }

    pub(crate) fn of(values: CubeTensor, operand: Operand) -> Self {
        let along_sum = match operand {
            Operand::Patches(map) => map.channels > 1,
            Operand::Cells(_) => true,
            _ => false,
        };
        let read = Read { operand, along_sum, slope: Activation::Identity };
        Self { values, outputs: None, read, strides: [0, 0] }
    }

    /// Multiplies the values by the slope at `output`, which has the same layout.
    pub(crate) fn sloped(mut self, outputs: CubeTensor, activation: Activation) -> Self {
        if activation != Activation::Identity {
            self.read.slope = activation;
            self.outputs = Some(outputs);
        }
        self
    }
}

/// A contraction to launch.
pub(crate) struct Contraction {
    pub(crate) left: Side,
    pub(crate) right: Side,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) steps: usize,
}

impl Contraction {
    fn shape(&self) -> [usize; 3] {
        [self.rows, self.columns, self.steps]
    }

    fn multiply_adds(&self, target: Target) -> usize {
        let steps = match target {
            Target::Matrix | Target::Parts => self.steps,
            // All phases together use each tap once.
            Target::Phase(map) => map.kernel * map.kernel * map.filters,
            Target::Cells(map) => {
                let phases = map.stride * map.stride;
                return self.rows * self.columns / phases * map.kernel * map.kernel * map.filters;
            }
        };
        self.rows * self.columns * steps
    }

    /// `s(left right' + bias)`: `[rows, columns]`.
    pub(crate) fn matrix(self, bias: Option<CubeTensor>, activation: Activation) -> CubeTensor {
        let launch = Launch::new(self.shape(), 1, true);
        if launch.splits == 1 {
            let out = empty_like(&self.left.values, [self.rows, self.columns]);
            let target = Target::Matrix;
            self.launch(&launch, 1, target, Sums::None, bias, activation, &out, &out);
            return out;
        }
        let (rows, columns) = (self.rows, self.columns);
        let (parts, count) = self.parts(&launch, Sums::None);
        super::partials::matrix(parts, count, [rows, columns], bias, activation)
    }

    /// The product without an activation, and the sums of one operand.
    pub(crate) fn with_sums(self, sums: Sums) -> [CubeTensor; 2] {
        let launch = Launch::new(self.shape(), 1, true);
        let (rows, columns) = (self.rows, self.columns);
        let len = if sums == Sums::Left { rows } else { columns };
        if launch.splits == 1 {
            let out = empty_like(&self.left.values, [rows, columns]);
            let found = empty_like(&self.left.values, [len]);
            let target = Target::Matrix;
            self.launch(&launch, 1, target, sums, None, Activation::Identity, &out, &found);
            return [out, found];
        }
        let (parts, count) = self.parts(&launch, sums);
        super::partials::with_sums(parts, count, [rows, columns], len)
    }

    /// The parts of the sums, `[parts, rows * columns + sums]`, and their number.
    pub(crate) fn parts(self, launch: &Launch, sums: Sums) -> (CubeTensor, usize) {
        let of_split = self.steps.div_ceil(launch.splits).next_multiple_of(launch.tile.depth);
        let count = self.steps.div_ceil(of_split).max(1);
        let extra = match sums {
            Sums::None => 0,
            Sums::Left => self.rows,
            Sums::Right => self.columns,
        };
        let parts = empty_like(&self.left.values, [count, self.rows * self.columns + extra]);
        let launch = Launch { splits: count, ..*launch };
        let identity = Activation::Identity;
        self.launch(&launch, count, Target::Parts, sums, None, identity, &parts, &parts);
        (parts, count)
    }

    /// To pixels of the large side, `[batch, height, width, channels]`.
    pub(crate) fn cells(
        self,
        map: Map,
        batch: usize,
        all_phases: bool,
        bias: Option<CubeTensor>,
        activation: Activation,
    ) -> CubeTensor {
        let shape = [batch, map.height, map.width, map.channels];
        let out = empty_like(&self.left.values, shape);
        let (target, layers) = match all_phases {
            true => (Target::Cells(map), 1),
            false => (Target::Phase(map), map.stride * map.stride),
        };
        let launch = Launch::new(self.shape(), layers, false);
        self.launch(&launch, layers, target, Sums::None, bias, activation, &out, &out);
        out
    }

    #[allow(clippy::too_many_arguments, reason = "what a launch takes")]
    fn launch(
        self,
        launch: &Launch,
        layers: usize,
        target: Target,
        sums: Sums,
        bias: Option<CubeTensor>,
        activation: Activation,
        out: &CubeTensor,
        found: &CubeTensor,
    ) {
        let tile = launch.tile;
        let plan = Plan {
            tile,
            left: self.left.read,
            right: self.right.read,
            sums,
            bias: if bias.is_some() { Bias::Columns } else { Bias::None },
            activation,
            target,
        };
        let of_split = self.steps.div_ceil(launch.splits).next_multiple_of(tile.depth);
        let across = [self.rows.div_ceil(tile.rows), self.columns.div_ceil(tile.columns)];
        let client = out.client.clone();
        let groups = across[0] * across[1] * layers;
        let operands = [&self.left.values, &self.right.values, out];
        let bytes = operands.map(|tensor| tensor.meta.num_elements() * tensor.elem_size());
        // Each phase has its share of the neighbours, each part its share of the sum.
        note(name(&plan), groups, self.multiply_adds(target), bytes.iter().sum());
        let outputs = |side: &Side| side.outputs.clone().unwrap_or_else(|| side.values.clone());
        let (left_outputs, right_outputs) = (outputs(&self.left), outputs(&self.right));
        let bias = bias.unwrap_or_else(|| self.right.values.clone());
        contraction::launch(
            &client,
            grid(groups),
            CubeDim::new_1d(tile.units() as u32),
            self.left.values.into_buffer_arg(),
            left_outputs.into_buffer_arg(),
            self.right.values.into_buffer_arg(),
            right_outputs.into_buffer_arg(),
            bias.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            found.clone().into_buffer_arg(),
            self.rows,
            self.columns,
            self.steps,
            of_split,
            layers,
            self.left.strides[0],
            self.left.strides[1],
            self.right.strides[0],
            self.right.strides[1],
            plan,
            element(out),
        );
    }
}
