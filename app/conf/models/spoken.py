# ruff: noqa: RUF001 - they are letters of other alphabets
"""What callers hear, in the agent's language, from the carrier's voice where the operator wrote no words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """Our own words in one language."""

    apology: str
    """No agent can talk."""
    leave_message: str
    """Said before the tone of a voicemail."""
    thanks: str
    """Said when the message is there."""


def phrases(language: str) -> Phrases:
    """Those of a language like `de-CH`: its own, else those of `de`, else English."""
    return _PHRASES.get(language) or _PHRASES.get(language.partition("-")[0]) or _PHRASES["en"]


_NORWEGIAN = Phrases(
    "Beklager, assistenten vår er ikke tilgjengelig akkurat nå.",
    "Legg igjen en beskjed etter tonen.",
    "Takk. Ha det bra.",
)
_PHRASES = {
    "en": Phrases(
        "We are sorry, our assistant is not available right now.",
        "Please leave a message after the tone.",
        "Thank you. Goodbye.",
    ),
    "ar": Phrases("عذرًا، مساعدنا غير متاح حاليًا.", "من فضلك اترك رسالة بعد سماع الصافرة.", "شكرًا لك. مع السلامة."),
    "bg": Phrases(
        "Съжаляваме, асистентът ни в момента не е на разположение.",
        "Моля, оставете съобщение след сигнала.",
        "Благодарим ви. Дочуване.",
    ),
    "ca": Phrases(
        "Ho sentim, el nostre assistent no està disponible en aquest moment.",
        "Si us plau, deixeu un missatge després del senyal.",
        "Gràcies. Adeu.",
    ),
    "cs": Phrases(
        "Omlouváme se, náš asistent teď není k dispozici.",
        "Zanechte prosím zprávu po zaznění tónu.",
        "Děkujeme. Na shledanou.",
    ),
    "da": Phrases(
        "Vi beklager, vores assistent er ikke tilgængelig lige nu.",
        "Læg venligst en besked efter tonen.",
        "Tak. Farvel.",
    ),
    "de": Phrases(
        "Es tut uns leid, unser Assistent ist gerade nicht erreichbar.",
        "Bitte hinterlassen Sie eine Nachricht nach dem Signalton.",
        "Vielen Dank. Auf Wiederhören.",
    ),
    "el": Phrases(
        "Λυπούμαστε, ο βοηθός μας δεν είναι διαθέσιμος αυτή τη στιγμή.",
        "Παρακαλούμε αφήστε ένα μήνυμα μετά τον ήχο.",
        "Ευχαριστούμε. Αντίο σας.",
    ),
    "es": Phrases(
        "Lo sentimos, nuestro asistente no está disponible en este momento.",
        "Por favor, deje un mensaje después de la señal.",
        "Gracias. Adiós.",
    ),
    "fi": Phrases(
        "Pahoittelemme, avustajamme ei ole juuri nyt tavoitettavissa.",
        "Jätä viesti äänimerkin jälkeen.",
        "Kiitos. Kuulemiin.",
    ),
    "fr": Phrases(
        "Nous sommes désolés, notre assistant n'est pas disponible pour le moment.",
        "Veuillez laisser un message après le signal sonore.",
        "Merci. Au revoir.",
    ),
    "he": Phrases("אנו מצטערים, העוזר שלנו אינו זמין כרגע.", "אנא השאירו הודעה לאחר הצליל.", "תודה. להתראות."),
    "hi": Phrases("हमें खेद है, हमारे सहायक अभी उपलब्ध नहीं हैं।", "कृपया टोन के बाद अपना संदेश छोड़ें।", "धन्यवाद। नमस्ते।"),
    "hr": Phrases(
        "Žao nam je, naš asistent trenutačno nije dostupan.",
        "Molimo ostavite poruku nakon zvučnog signala.",
        "Hvala. Doviđenja.",
    ),
    "hu": Phrases(
        "Sajnáljuk, az asszisztensünk jelenleg nem elérhető.",
        "Kérjük, hagyjon üzenetet a sípszó után.",
        "Köszönjük. Viszonthallásra.",
    ),
    "id": Phrases(
        "Mohon maaf, asisten kami sedang tidak tersedia.",
        "Silakan tinggalkan pesan setelah nada.",
        "Terima kasih. Sampai jumpa.",
    ),
    "it": Phrases(
        "Siamo spiacenti, il nostro assistente non è disponibile in questo momento.",
        "Lasciate un messaggio dopo il segnale acustico.",
        "Grazie. Arrivederci.",
    ),
    "ja": Phrases(
        "申し訳ございません。ただいまアシスタントは応対できません。",
        "発信音の後にメッセージをお残しください。",
        "ありがとうございました。失礼いたします。",
    ),
    "ko": Phrases(
        "죄송합니다. 지금은 상담원이 응대할 수 없습니다.",
        "삐 소리가 나면 메시지를 남겨 주세요.",
        "감사합니다. 안녕히 계세요.",
    ),
    "nb": _NORWEGIAN,
    "nl": Phrases(
        "Het spijt ons, onze assistent is op dit moment niet beschikbaar.",
        "Spreek na de toon een bericht in.",
        "Dank u wel. Tot ziens.",
    ),
    "no": _NORWEGIAN,
    "pl": Phrases(
        "Przepraszamy, nasz asystent jest w tej chwili niedostępny.",
        "Prosimy zostawić wiadomość po sygnale.",
        "Dziękujemy. Do widzenia.",
    ),
    "pt": Phrases(
        "Lamentamos, o nosso assistente não está disponível neste momento.",
        "Por favor, deixe uma mensagem após o sinal.",
        "Obrigado. Até logo.",
    ),
    "ro": Phrases(
        "Ne pare rău, asistentul nostru nu este disponibil în acest moment.",
        "Vă rugăm să lăsați un mesaj după semnalul sonor.",
        "Vă mulțumim. La revedere.",
    ),
    "ru": Phrases(
        "Извините, наш ассистент сейчас недоступен.",
        "Пожалуйста, оставьте сообщение после сигнала.",
        "Спасибо. До свидания.",
    ),
    "sk": Phrases(
        "Ospravedlňujeme sa, náš asistent momentálne nie je k dispozícii.",
        "Zanechajte, prosím, správu po zaznení tónu.",
        "Ďakujeme. Dopočutia.",
    ),
    "sv": Phrases(
        "Tyvärr är vår assistent inte tillgänglig just nu.", "Lämna ett meddelande efter tonen.", "Tack. Hej då."
    ),
    "th": Phrases("ขออภัย ผู้ช่วยของเราไม่พร้อมให้บริการในขณะนี้", "กรุณาฝากข้อความหลังเสียงสัญญาณ", "ขอบคุณค่ะ สวัสดีค่ะ"),
    "tr": Phrases(
        "Üzgünüz, asistanımız şu anda müsait değil.",
        "Lütfen sinyal sesinden sonra mesajınızı bırakın.",
        "Teşekkür ederiz. Hoşça kalın.",
    ),
    "uk": Phrases(
        "Вибачте, наш асистент зараз недоступний.",
        "Будь ласка, залиште повідомлення після сигналу.",
        "Дякуємо. До побачення.",
    ),
    "vi": Phrases(
        "Rất tiếc, trợ lý của chúng tôi hiện không thể nhận cuộc gọi.",
        "Vui lòng để lại lời nhắn sau tiếng bíp.",
        "Xin cảm ơn. Tạm biệt.",
    ),
    "zh": Phrases("很抱歉，我们的助理暂时无法接听。", "请在提示音后留言。", "谢谢，再见。"),
    "zh-TW": Phrases("很抱歉，我們的助理暫時無法接聽。", "請在提示音後留言。", "謝謝，再見。"),
}
