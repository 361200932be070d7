"""The shipped studies, as files that can be copied: reference, li-cu, my-host."""
