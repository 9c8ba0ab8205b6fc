//! Groups of images that pairs connect.

/// Groups of rows that pairs connect, each of at least two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups(pub Vec<Vec<usize>>);

impl Groups {
    /// Rows are in one group if a chain of pairs leads from one to the other: two images of a group may be farther
    /// apart than the threshold. Groups are in the order of their first row.
    ///
    /// # Panics
    /// If a row is not below `count`.
    pub fn of(count: usize, pairs: impl IntoIterator<Item = [usize; 2]>) -> Self {
        let mut parent: Vec<usize> = (0..count).collect();
        fn root(parent: &mut [usize], mut row: usize) -> usize {
            while parent[row] != row {
                parent[row] = parent[parent[row]];
                row = parent[row];
            }
            row
        }
        for [a, b] in pairs {
            let (a, b) = (root(&mut parent, a), root(&mut parent, b));
            parent[a.max(b)] = a.min(b);
        }
        let mut groups: Vec<Vec<usize>> = vec![Vec::new(); count];
        for row in 0..count {
            groups[root(&mut parent, row)].push(row);
        }
        Self(groups.into_iter().filter(|group| group.len() > 1).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_groups() {
        let groups = Groups::of(7, [[5, 2], [2, 6], [1, 3]]);
        assert_eq!(groups.0, [vec![1, 3], vec![2, 5, 6]]);
        assert!(Groups::of(3, []).0.is_empty());
    }
}
