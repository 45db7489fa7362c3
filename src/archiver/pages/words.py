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
    "by_talk": ("Talk by talk", "逐场明细"),
    "cancelled": ("cancelled", "已取消"),
    "close": ("Close", "关闭"),
    "colon": (": ", "："),
    "comma": (", ", "，"),
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
    "have_of": ("{have} of {wanted}", "{wanted} 项中已有 {have} 项"),
    "held": ("held", "已收录"),
    "in_brackets": (" ({text})", "（{text}）"),
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
    "lack_other": ("other material", "其他资料"),
    "lack_photo": ("photos", "照片"),
    "lack_report": ("a report", "报道"),
    "lack_slides": ("slides", "幻灯片"),
    "lack_video": ("a video", "视频"),
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
    "number": ("No.", "序号"),
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
    "review": ("Review", "回顾"),
    "review_again": ("Given more than once", "多次讲过的演讲"),
    "review_all": ("the only stop|all {count} stops", "唯一一站已有|{count} 站全部都有"),
    "review_attended": ("{count} attended", "到场 {count} 人"),
    "review_but": ("{have} of {total} stops; missing from {which}",
                   "{total} 站中有 {have} 站；尚缺：{which}"),
    "review_by": ("{title} was organized by {organizer}.", "{title} 由 {organizer} 主办。"),
    "review_empty": ("The archive holds nothing of it yet.", "资料库尚未收录任何资料。"),
    "review_enrolled": ("{count} enrolled", "报名 {count} 人"),
    "review_extent": ("There were {stops} with {talks}{when}.", "共 {stops}、{talks}{when}。"),
    "review_from": (", from {begin} to {end}", "，自{begin}至{end}"),
    "review_glance": ("At a glance", "总览"),
    "review_held": ("The archive holds {what}.", "资料库现收录{what}。"),
    "review_known": ("; the known dates run from {begin} to {end}", "，已知日期自{begin}至{end}"),
    "review_known_one": ("; the only known date is {begin}", "，已知日期仅{begin}"),
    "review_lack": ("{kind} {what}", "{what}{kind}"),
    "review_lead": ("What happened where, what came of it, and what is still missing.",
                    "各站概况、收录的资料，以及仍缺的部分。"),
    "review_lecturers": ("{count} lecturer|{count} lecturers", "讲师 {count} 位"),
    "review_none": ("none from the only stop|none from any of the {count} stops",
                    "唯一一站尚无|{count} 站均无"),
    "review_of": ("{title}: a review", "{title} 回顾"),
    "review_of_talks": ("of {count} talk|of {count} talks", "{count} 场演讲的"),
    "review_on": (" on {begin}", "，时间为{begin}"),
    "review_only": ("{have} of {total} stops: {which}", "{total} 站中有 {have} 站：{which}"),
    "review_other": ("Other slides", "其他幻灯片"),
    "review_others": ("Beside the stops", "各站之外"),
    "review_partly": ("some are still missing from {which}", "部分尚缺：{which}"),
    "review_photo": ("{count} photo|{count} photos", "照片 {count} 张"),
    "review_report": ("{count} report|{count} reports", "报道 {count} 篇"),
    "review_share": ("Of {wanted} things that are expected, {have} are here ({percent} %).",
                     "应有资料 {wanted} 项，已有 {have} 项（{percent}%）。"),
    "review_slides": ("{count} deck of slides|{count} decks of slides", "幻灯片 {count} 份"),
    "review_stated": ("The organizers state: {figures}.", "据主办方统计，{figures}。"),
    "review_still": ("What is still missing", "仍缺的资料"),
    "review_complete": ("Nothing is missing.", "资料已齐全。"),
    "review_stops": ("{count} stop|{count} stops", "{count} 站"),
    "review_talks": ("{count} talk|{count} talks", "{count} 场演讲"),
    "review_undated": ("The date of {count} stop is not known.|The dates of {count} stops are not known.",
                       "其中 {count} 站日期不详。"),
    "review_video": ("{count} video|{count} videos", "视频 {count} 段"),
    "review_waived": ("not expected any more from {which}", "不再要求：{which}"),
    "search": ("Search", "搜索"),
    "search_hint": ("Words in titles, names, slides and reports", "标题、姓名、幻灯片与报道中的词语"),
    "semicolon": ("; ", "；"),
    "skip": ("Skip to the content", "跳到正文"),
    "slide": ("Slide", "第几页"),
    "slides": ("Slides", "幻灯片"),
    "slide_text": ("Text of the slides", "幻灯片文字"),
    "source": ("Source", "来源"),
    "speaker": ("Speaker", "讲师"),
    "speaker_all": ("Every speaker", "全部讲师"),
    "speakers": ("Speakers", "讲师"),
    "stops": ("Stops", "站点"),
    "stub": ("This page is no longer part of the archive.", "本页已不在资料库中。"),
    "subtitles": ("Subtitles", "字幕"),
    "talk": ("Talk", "演讲"),
    "talk_count": ("{count} talk|{count} talks", "{count} 场演讲"),
    "talks": ("Talks", "演讲"),
    "to_do": ("What to do", "如何补齐"),
    "do_act": ("Somebody has to act first: a login, a quota or a question.",
               "需要人工处理：登录、配额或验证。"),
    "do_add": ("Ask for it, or add the file that you have.", "请设法索取，或添加已有文件。"),
    "do_ask": ("Ask the speaker for it.", "请向讲师索取。"),
    "do_better": ("A better copy is wanted.", "需要更好的版本。"),
    "do_decide": ("Something here has no talk yet: decide where it belongs.",
                  "有资料尚未归入演讲，请确认其归属。"),
    "do_open": ("Open the address, save the file, and add it.", "请打开链接，保存文件后添加。"),
    "do_retry": ("It is known; the next run tries again.", "已知此项，下次运行时会再试。"),
    "do_wait": ("The speaker was asked lately: wait for the answer.", "近日已向讲师索取，请等待回复。"),
    "totals": ("In the archive", "收录总数"),
    "unknown": ("not known", "不详"),
    "unknown_speaker": ("Speaker not known", "讲师不详"),
    "upstream_lost": ("lost at its source, kept here", "来源已失，此处保留"),
    "venue": ("Venue", "场地"),
    "video": ("Video", "视频"),
    "videos": ("Videos", "视频"),
    "video_unplayable": ("Browsers do not play this format.", "浏览器无法播放此格式。"),
    "waived": ("waived", "不再要求"),
    "waived_lead": ("By decision, nobody waits for these any more; coverage does not count them.",
                    "经决定不再等待以下资料，不计入收录情况。"),
    "waived_title": ("Not expected any more", "不再要求的资料"),
    "when": ("Date", "日期"),
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
        """Give a word with its values filled in.

        Of two forms, parted by a bar, the first is for a `count` of one.
        """
        one, _, more = self[word].partition("|")
        shown = {name: self.number(v) if isinstance(v, int) else v for name, v in values.items()}
        return (more if more and values.get("count") != 1 else one).format(**shown)

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
