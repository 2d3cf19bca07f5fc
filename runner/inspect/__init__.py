"""The worst items of a job, with their texts; and of two jobs those on which they part."""
