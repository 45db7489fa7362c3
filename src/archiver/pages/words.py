"""What the pages say, in the languages that they speak; how they write dates and sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Word → (English, Chinese). A word that is missing here is a fault that a test finds.
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "all_photos": ("All photos", "全部照片"),
    "all_stops": ("All stops", "全部站点"),
    "also_given": ("Also given at", "也曾在以下站点讲过"),
    "archive": ("Archive", "资料库"),
    "asked": ("asked on", "询问于"),
    "attended": ("Attended", "到场"),
    "blocked": ("blocked", "受阻"),
    "cancelled": ("cancelled", "已取消"),
    "close": ("Close", "关闭"),
    "coverage": ("Coverage", "收录情况"),
    "coverage_lead": (
        "What the programme promises, and what the archive holds of it.",
        "节目单上应有的资料，与已收录的资料。",
    ),
    "deck_same": ("The same deck, byte for byte.", "演示文稿完全相同。"),
    "deck_text_same": ("The same text on every slide.", "每页文字相同。"),
    "deck_other": ("{same} slides the same, {here} only here, {there} only there.",
                   "{same} 页相同，{here} 页仅此处有，{there} 页仅彼处有。"),
    "differs": ("Compared with this deck", "与本文稿比较"),
    "download": ("Download", "下载"),
    "enrolled": ("Enrolled", "报名"),
    "event": ("Event", "站点"),
    "expected": ("expected", "应有"),
    "facts": ("Stated facts", "已知数据"),
    "feed": ("Feed of what is new", "更新订阅"),
    "files": ("Files", "文件"),
    "grade_original": ("original", "原件"),
    "grade_pages": ("page images", "页面图片"),
    "grade_pdf": ("PDF", "PDF"),
    "grade_reduced": ("reduced size", "缩小版"),
    "grade_thumbnail": ("thumbnail only", "仅缩略图"),
    "have": ("have", "已有"),
    "held": ("held", "已收录"),
    "kind": ("Kind", "类别"),
    "kind_all": ("Everything", "全部"),
    "kind_event": ("Stops", "站点"),
    "kind_other": ("Other", "其他"),
    "kind_photo": ("Photos", "照片"),
    "kind_report": ("Reports", "报道"),
    "kind_slides": ("Slides", "幻灯片"),
    "kind_speaker": ("Speakers", "讲师"),
    "kind_talk": ("Talks", "演讲"),
    "kind_video": ("Videos", "视频"),
    "lecturers": ("Speakers", "讲师"),
    "licence": ("Licence", "许可"),
    "link": ("link only", "仅有链接"),
    "missing": ("missing", "缺少"),
    "missing_slides": ("The slides of this talk are not in the archive yet.", "本演讲的幻灯片尚未收录。"),
    "more_material": ("More from this stop", "本站其他资料"),
    "newest": ("Newest", "最新收录"),
    "next": ("Next", "下一张"),
    "next_page": ("Next page", "下一页"),
    "no_date": ("Date not known", "日期不详"),
    "no_match": ("Nothing was found. Try fewer or other words.", "没有找到。请减少或更换词语。"),
    "no_photos": ("There are no photos yet.", "还没有照片。"),
    "no_script": ("Searching needs JavaScript in this browser. All pages work without it.",
                  "搜索需要启用 JavaScript；其他页面无需启用。"),
    "open_original": ("Open the original", "打开原件"),
    "page_of": ("Page {page} of {pages}", "第 {page} 页，共 {pages} 页"),
    "partial": ("partial", "部分"),
    "photo": ("Photo", "照片"),
    "photos": ("Photos", "照片"),
    "previous": ("Previous", "上一张"),
    "previous_page": ("Previous page", "上一页"),
    "programme": ("Programme", "演讲"),
    "replay": ("Replay of the web page", "网页回放"),
    "report": ("Report", "报道"),
    "reports": ("Reports", "报道"),
    "result_count": ("{count} found", "找到 {count} 项"),
    "search": ("Search", "搜索"),
    "search_hint": ("Words in titles, names, slides and reports", "标题、姓名、幻灯片与报道中的词语"),
    "skip": ("Skip to the content", "跳到正文"),
    "slide": ("Slide", "第几页"),
    "slides": ("Slides", "幻灯片"),
    "slides_count": ("{count} slides", "{count} 页"),
    "slide_text": ("Text of the slides", "幻灯片文字"),
    "source": ("Source", "来源"),
    "speaker": ("Speaker", "讲师"),
    "speaker_all": ("Every speaker", "全部讲师"),
    "speakers": ("Speakers", "讲师"),
    "stops": ("Stops", "站点"),
    "stub": ("This page is no longer part of the archive.", "本页已不在资料库中。"),
    "subtitles": ("Subtitles", "字幕"),
    "talk": ("Talk", "演讲"),
    "talk_count": ("{count} talks", "{count} 场演讲"),
    "talks": ("Talks", "演讲"),
    "to_do": ("What to do", "如何补齐"),
    "do_blocked": ("Somebody has to act first: a login, a quota or a question.",
                   "需要人工处理：登录、配额或验证。"),
    "do_link": ("It is known at an address; the next run tries to fetch it.",
                "已知链接，下次运行时会尝试获取。"),
    "do_missing": ("Ask for it, or add the file that you have.", "请向讲师索取，或添加已有文件。"),
    "do_partial": ("A better copy is wanted.", "需要更好的版本。"),
    "do_pending": ("It is known; the next run tries again.", "已知此项，下次运行时会再试。"),
    "totals": ("In the archive", "收录总数"),
    "unknown_speaker": ("Speaker not known", "讲师不详"),
    "upstream_lost": ("lost at its source, kept here", "来源已失，此处保留"),
    "video": ("Video", "视频"),
    "videos": ("Videos", "视频"),
    "video_unplayable": ("Browsers do not play this format.", "浏览器无法播放此格式。"),
    "waived": ("waived", "已免除"),
    "why": ("Why", "原因"),
    "year": ("Year", "年份"),
}  # fmt: skip

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


class Words:
    """The words of one interface language: Chinese for any tag that begins with `zh`, else English."""

    def __init__(self, language: str) -> None:
        self.language = language or "en"
        self.chinese = self.language.lower().split("-")[0] == "zh"

    def __getitem__(self, word: str) -> str:
        return _WORDS[word][self.chinese]

    def __call__(self, word: str, **values: object) -> str:
        """Give a word with its values filled in."""
        return self[word].format(**values)

    @property
    def tag(self) -> str:
        """Give the language of the interface as a tag for `lang`."""
        return self.language if self.chinese else "en"

    def date(self, text: str) -> str:
        """Write an ISO 8601 date, as coarse as it is: 2012-09-16, 2012-09, 2012; "" stays empty."""
        # Not `isdigit`: "²" is a digit, and no number.
        parts = [int(part) for part in text[:10].split("-") if part.isdecimal()]
        if not parts or not 1 <= (parts[1:2] or [1])[0] <= len(_MONTHS):
            return text
        if self.chinese:
            return "".join(f"{part}{unit}" for part, unit in zip(parts, "年月日", strict=False))
        named = [str(parts[0]), *(_MONTHS[month - 1] for month in parts[1:2]), *map(str, parts[2:3])]
        return " ".join(reversed(named))

    def dates(self, begin: str, end: str) -> str:
        """Write when something was, from its first to its last day."""
        if not end or end == begin:
            return self.date(begin)
        same_month = begin[:7] == end[:7] and begin[8:10].isdecimal() and end[8:10].isdecimal()
        if same_month and self.chinese:
            return f"{self.date(begin)[:-1]}–{int(end[8:10])}日"
        if same_month:
            return f"{int(begin[8:10])}–{self.date(end)}"
        return f"{self.date(begin)} – {self.date(end)}"

    def number(self, value: int) -> str:
        """Write a whole number with a sign every three digits."""
        return f"{value:,}"

    @staticmethod
    def size(count: int) -> str:
        """Write a number of bytes in decimal units: 1.4 MB."""
        value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
        while value >= 999.5 and len(units) > 1:
            value /= 1000
            units.pop(0)
        shown = f"{value:.0f}" if units[0] == "B" or value >= 9.95 else f"{value:.1f}"
        return f"{shown} {units[0]}"


def known_words() -> frozenset[str]:
    """Name every word that there is."""
    return frozenset(_WORDS)
