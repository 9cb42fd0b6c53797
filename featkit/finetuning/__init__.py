"""Fine-tuning: a backbone trained end to end on the Plan that frozen features are judged by."""

from featkit.finetuning.recipe import AUGMENTATIONS, STRATEGIES, Recipe, recipe_for
from featkit.finetuning.running import FineTuning, finetune

__all__ = ["AUGMENTATIONS", "STRATEGIES", "FineTuning", "Recipe", "finetune", "recipe_for"]
