"""Why a person has, lacks or waits for a course."""
