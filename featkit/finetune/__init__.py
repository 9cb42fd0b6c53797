"""Fine-tuning: a backbone trained end to end on the Plan that frozen features are judged by."""

from featkit.finetune.finetuning import FineTuning, finetune
from featkit.finetune.recipe import AUGMENTATIONS, STRATEGIES, Recipe, recipe_for

__all__ = ["AUGMENTATIONS", "STRATEGIES", "FineTuning", "Recipe", "finetune", "recipe_for"]
