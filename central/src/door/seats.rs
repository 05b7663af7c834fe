//! Seats: how many connections somebody may have. Who comes when all are taken gets the seat of the oldest, because a node
//! whose link broke comes back while its old connection still seems to live, and because a crowd that only sits must not keep
//! others out.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

type Taken = VecDeque<(u64, CancellationToken)>;

/// Seats, so many for each key.
pub(super) struct Seats<K> {
    most: usize,
    taken: Mutex<(u64, HashMap<K, Taken>)>,
}

impl<K: Hash + Eq + Copy> Seats<K> {
    /// No seat is taken yet.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, (u64, HashMap<K, Taken>)> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a seat. If none is free the one who has sat longest is asked to go.
    pub(super) fn take(self: &Arc<Self>, key: K) -> Seat<K> {
        let asked = CancellationToken::new();
        let mut taken = self.lock();
        taken.0 += 1;
        let number = taken.0;
        let of_key = taken.1.entry(key).or_default();
        of_key.push_back((number, asked.clone()));
        if of_key.len() > self.most
            && let Some((_, oldest)) = of_key.pop_front()
        {
            oldest.cancel();
        }
        Seat { seats: self.clone(), key, number, asked }
    }
}

/// A seat, until it is dropped.
pub(super) struct Seat<K: Hash + Eq + Copy> {
    seats: Arc<Seats<K>>,
    key: K,
    number: u64,
    asked: CancellationToken,
}

impl<K: Hash + Eq + Copy> Seat<K> {
    /// Cancelled when somebody newer needs the seat.
    pub(super) fn asked(&self) -> CancellationToken {
        self.asked.clone()
    }
}

impl<K: Hash + Eq + Copy> Drop for Seat<K> {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        if let Some(of_key) = taken.1.get_mut(&self.key) {
            of_key.retain(|(number, _)| *number != self.number);
            if of_key.is_empty() {
                taken.1.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_for_the_newest_of_its_key_only() {
        let seats = Seats::new(2);
        let asked = |seat: &Seat<u8>| seat.asked().is_cancelled();
        let (first, second, other) = (seats.take(1), seats.take(1), seats.take(2));
        assert!(!asked(&first) && !asked(&second) && !asked(&other));
        let third = seats.take(1);
        assert!(asked(&first) && !asked(&second) && !asked(&third) && !asked(&other));
        drop(second);
        let fourth = seats.take(1);
        assert!(!asked(&third) && !asked(&fourth), "a seat was free");
        drop((first, third, fourth, other));
        assert!(seats.lock().1.is_empty(), "everybody left");
    }
}
