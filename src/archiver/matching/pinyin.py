"""Chinese names in Latin letters: how the People's Republic spells them (ISO 7098, GB/T 28039).

Only what follows from the characters is known here. Spellings of Hong Kong, Taiwan or Singapore
("Chan", "Lok", "Hsieh") are not: the same letters may stand for several characters there.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice, product

#: Spellings of one name that are looked at: characters may have several readings.
MAX_SPELLINGS = 24
#: A spelling shorter than this in one word may be a word or a nickname: "lina".
SURE_LETTERS = 8


def _table(text: str) -> dict[str, str]:
    return {name: spelt for name, _, spelt in (each.strip().partition(" ") for each in text.split(";"))}


# Characters whose reading as a family name differs from the common one, or is one of several.
_FAMILY = _table(
    "单 shan; 曾 zeng; 解 xie; 仇 qiu; 查 zha; 区 ou; 朴 piao; 任 ren; 华 hua; "
    "盖 ge gai; 翟 zhai; 乐 yue le; 缪 miao; 员 yun; 冼 xian; 覃 qin tan; 燕 yan; "
    "宁 ning; 折 she; 黑 he hei; 秘 bi; 种 chong; 祭 zhai; 车 che; 贾 jia; 沈 shen; "
    "柏 bai bo; 纪 ji; 葛 ge; 谌 chen shen; 隗 wei kui; 都 du; 薄 bo; 召 shao; 那 na; "
    "应 ying; 过 guo; 句 gou; 阚 kan; 郗 xi chi; 粘 nian; 相 xiang; 费 fei bi; 繁 po; "
    "重 chong; 牟 mou mu; 晁 chao; 尉 wei; 洗 xian; 哈 ha; 干 gan; 佴 nai; 亓 qi"
)
_LONG_FAMILY = _table(
    "欧阳 ouyang; 司马 sima; 上官 shangguan; 诸葛 zhuge; 东方 dongfang; 皇甫 huangfu; "
    "尉迟 yuchi; 公孙 gongsun; 慕容 murong; 长孙 zhangsun; 宇文 yuwen; 司徒 situ; "
    "令狐 linghu; 万俟 moqi; 端木 duanmu; 夏侯 xiahou; 轩辕 xuanyuan; 南宫 nangong; "
    "闻人 wenren; 申屠 shentu; 单于 chanyu"
)
# ü on a keyboard without it: "lv" by habit, "lyu" in passports (GB/T 28039), "lu" where it was dropped.
_UMLAUTS = {"lv": ("lv", "lü", "lu", "lyu"), "nv": ("nv", "nü", "nu", "nyu")}

_SYLLABLE = (
    r"(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|"
    r"ai|an|ao|ei|en|er|ia|ie|in|iu|ou|ua|ue|ui|un|uo|ve|üe|yu|a|e|i|o|u|v|ü)"
)
_SYLLABLES = re.compile(rf"(?:{_SYLLABLE}){{1,3}}")


def is_pinyin(word: str) -> bool:
    """Say whether a folded word may be one to three syllables of pinyin: "junqiang", not "jimmy"."""
    return bool(_SYLLABLES.fullmatch(word))


@lru_cache(maxsize=4096)
def spellings(name: str) -> tuple[tuple[str, str], ...]:
    """Spell a Chinese name of two to four simplified characters, as (family, given) without spaces.

    Empty when it is no such name. The family name is read as one, the rest in all its readings.
    """
    if not 2 <= len(name) <= 4:
        return ()
    longer = _LONG_FAMILY.get(name[:2]) if len(name) > 2 else None
    families = (longer,) if longer else _family(name[0])
    given = [_readings(char) for char in name[2 if longer else 1 :]]
    found = product(families, ("".join(each) for each in product(*given)))
    return tuple(islice(found, MAX_SPELLINGS))


def _family(char: str) -> tuple[str, ...]:
    known = _FAMILY.get(char)
    return tuple(known.split()) if known else _readings(char)


@lru_cache(maxsize=8192)
def _readings(char: str) -> tuple[str, ...]:
    from pypinyin import Style, pinyin

    (found,) = pinyin(char, style=Style.NORMAL, heteronym=True, errors="ignore") or ((),)
    return tuple(dict.fromkeys(form for each in found for form in _UMLAUTS.get(each, (each,))))


def joined(name: str) -> frozenset[str]:
    """Spell a Chinese name in one word, in both orders: "chenjunqiang", "junqiangchen"."""
    return frozenset(form for family, given in spellings(name) for form in (family + given, given + family))


@lru_cache(maxsize=16384)
def sounds(word: str) -> frozenset[str]:
    """Give the ways in which a short Chinese word may be spelt in one: 重庆 is "chongqing", "zhongqing"."""
    return frozenset("".join(each) for each in islice(product(*map(_readings, word)), MAX_SPELLINGS))
