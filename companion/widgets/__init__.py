"""What is seen: widgets that live with a kernel and on a page without one.

A widget is a view (NAME.js, an ES module in the anywidget format) and a state (NAME.py, synced traits).
They are handed arrays, so that each can be used with anyone's model.
"""

from companion.widgets.alignment_explorer import Alignment, AlignmentExplorer
from companion.widgets.attention_heatmap import AttentionHeatmap
from companion.widgets.beam_tree import BeamTree
from companion.widgets.bleu_bench import BleuBench
from companion.widgets.caption_translator import CaptionTranslator
from companion.widgets.dialogue_chat import DialogueChat
from companion.widgets.dialogue_reader import DialogueReader
from companion.widgets.dialogue_summarizer import DialogueSummarizer
from companion.widgets.few_labels import FewLabels
from companion.widgets.head_pruner import HeadPruner
from companion.widgets.head_splitter import HeadSplitter
from companion.widgets.hidden_state import HiddenState
from companion.widgets.host import Widget
from companion.widgets.live import LiveWidget
from companion.widgets.lsh_buckets import LSHBuckets
from companion.widgets.mask_painter import MaskPainter
from companion.widgets.masked_words import MaskedWords
from companion.widgets.mixing_rates import MixingRates
from companion.widgets.next_word import NextWord
from companion.widgets.positional_encoding import PositionalEncoding
from companion.widgets.quiz import Quiz
from companion.widgets.reversible_memory import ReversibleMemory
from companion.widgets.sequence_machines import SequenceMachines
from companion.widgets.text_to_text import TextToText
from companion.widgets.token_trace import TokenTrace
from companion.widgets.tokenizer_bench import TokenizerBench
from companion.widgets.translation_tree import TranslationTree
from companion.widgets.winograd_resolver import WinogradResolver

__all__ = [
    "Alignment",
    "AlignmentExplorer",
    "AttentionHeatmap",
    "BeamTree",
    "BleuBench",
    "CaptionTranslator",
    "DialogueChat",
    "DialogueReader",
    "DialogueSummarizer",
    "FewLabels",
    "HeadPruner",
    "HeadSplitter",
    "HiddenState",
    "LSHBuckets",
    "LiveWidget",
    "MaskPainter",
    "MaskedWords",
    "MixingRates",
    "NextWord",
    "PositionalEncoding",
    "Quiz",
    "ReversibleMemory",
    "SequenceMachines",
    "TextToText",
    "TokenTrace",
    "TokenizerBench",
    "TranslationTree",
    "Widget",
    "WinogradResolver",
]
