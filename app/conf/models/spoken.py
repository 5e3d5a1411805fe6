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
    closed: str
    """It is outside of the number's opening hours."""


def phrases(language: str) -> Phrases:
    """Those of a language like `de-CH`: its own, else those of `de`, else English."""
    return _PHRASES.get(language) or _PHRASES.get(language.partition("-")[0]) or _PHRASES["en"]


_NORWEGIAN = Phrases(
    "Beklager, assistenten vår er ikke tilgjengelig akkurat nå.",
    "Legg igjen en beskjed etter tonen.",
    "Takk. Ha det bra.",
    "Vi har stengt akkurat nå. Ring gjerne igjen i åpningstiden vår.",
)
_PHRASES = {
    "en": Phrases(
        "We are sorry, our assistant is not available right now.",
        "Please leave a message after the tone.",
        "Thank you. Goodbye.",
        "We are closed right now. Please call again during our opening hours.",
    ),
    "ar": Phrases(
        "عذرًا، مساعدنا غير متاح حاليًا.",
        "من فضلك اترك رسالة بعد سماع الصافرة.",
        "شكرًا لك. مع السلامة.",
        "نحن مغلقون الآن. يرجى الاتصال مرة أخرى خلال ساعات العمل.",
    ),
    "bg": Phrases(
        "Съжаляваме, асистентът ни в момента не е на разположение.",
        "Моля, оставете съобщение след сигнала.",
        "Благодарим ви. Дочуване.",
        "В момента не работим. Моля, обадете се отново в работно време.",
    ),
    "ca": Phrases(
        "Ho sentim, el nostre assistent no està disponible en aquest moment.",
        "Si us plau, deixeu un missatge després del senyal.",
        "Gràcies. Adeu.",
        "Ara mateix estem tancats. Si us plau, torneu a trucar en el nostre horari d'atenció.",
    ),
    "cs": Phrases(
        "Omlouváme se, náš asistent teď není k dispozici.",
        "Zanechte prosím zprávu po zaznění tónu.",
        "Děkujeme. Na shledanou.",
        "Právě máme zavřeno. Zavolejte prosím znovu v naší otevírací době.",
    ),
    "da": Phrases(
        "Vi beklager, vores assistent er ikke tilgængelig lige nu.",
        "Læg venligst en besked efter tonen.",
        "Tak. Farvel.",
        "Vi har lukket lige nu. Ring venligst igen i vores åbningstid.",
    ),
    "de": Phrases(
        "Es tut uns leid, unser Assistent ist gerade nicht erreichbar.",
        "Bitte hinterlassen Sie eine Nachricht nach dem Signalton.",
        "Vielen Dank. Auf Wiederhören.",
        "Wir haben gerade geschlossen. Bitte rufen Sie während unserer Öffnungszeiten wieder an.",
    ),
    "el": Phrases(
        "Λυπούμαστε, ο βοηθός μας δεν είναι διαθέσιμος αυτή τη στιγμή.",
        "Παρακαλούμε αφήστε ένα μήνυμα μετά τον ήχο.",
        "Ευχαριστούμε. Αντίο σας.",
        "Αυτή τη στιγμή είμαστε κλειστά. Παρακαλούμε καλέστε ξανά τις ώρες λειτουργίας μας.",
    ),
    "es": Phrases(
        "Lo sentimos, nuestro asistente no está disponible en este momento.",
        "Por favor, deje un mensaje después de la señal.",
        "Gracias. Adiós.",
        "En este momento estamos cerrados. Por favor, llame de nuevo en nuestro horario de atención.",
    ),
    "fi": Phrases(
        "Pahoittelemme, avustajamme ei ole juuri nyt tavoitettavissa.",
        "Jätä viesti äänimerkin jälkeen.",
        "Kiitos. Kuulemiin.",
        "Olemme juuri nyt suljettu. Soitathan uudelleen aukioloaikoinamme.",
    ),
    "fr": Phrases(
        "Nous sommes désolés, notre assistant n'est pas disponible pour le moment.",
        "Veuillez laisser un message après le signal sonore.",
        "Merci. Au revoir.",
        "Nous sommes actuellement fermés. Veuillez rappeler pendant nos heures d'ouverture.",
    ),
    "he": Phrases(
        "אנו מצטערים, העוזר שלנו אינו זמין כרגע.",
        "אנא השאירו הודעה לאחר הצליל.",
        "תודה. להתראות.",
        "אנחנו סגורים כרגע. אנא התקשרו שוב בשעות הפעילות שלנו.",
    ),
    "hi": Phrases(
        "हमें खेद है, हमारे सहायक अभी उपलब्ध नहीं हैं।",
        "कृपया टोन के बाद अपना संदेश छोड़ें।",
        "धन्यवाद। नमस्ते।",
        "हम अभी बंद हैं। कृपया हमारे खुलने के समय में फिर से कॉल करें।",
    ),
    "hr": Phrases(
        "Žao nam je, naš asistent trenutačno nije dostupan.",
        "Molimo ostavite poruku nakon zvučnog signala.",
        "Hvala. Doviđenja.",
        "Trenutačno ne radimo. Molimo nazovite ponovno tijekom našeg radnog vremena.",
    ),
    "hu": Phrases(
        "Sajnáljuk, az asszisztensünk jelenleg nem elérhető.",
        "Kérjük, hagyjon üzenetet a sípszó után.",
        "Köszönjük. Viszonthallásra.",
        "Jelenleg zárva tartunk. Kérjük, hívjon újra nyitvatartási időben.",
    ),
    "id": Phrases(
        "Mohon maaf, asisten kami sedang tidak tersedia.",
        "Silakan tinggalkan pesan setelah nada.",
        "Terima kasih. Sampai jumpa.",
        "Saat ini kami tutup. Silakan menelepon kembali pada jam buka kami.",
    ),
    "it": Phrases(
        "Siamo spiacenti, il nostro assistente non è disponibile in questo momento.",
        "Lasciate un messaggio dopo il segnale acustico.",
        "Grazie. Arrivederci.",
        "In questo momento siamo chiusi. Vi preghiamo di richiamare durante i nostri orari di apertura.",
    ),
    "ja": Phrases(
        "申し訳ございません。ただいまアシスタントは応対できません。",
        "発信音の後にメッセージをお残しください。",
        "ありがとうございました。失礼いたします。",
        "ただいま営業時間外です。営業時間内におかけ直しください。",
    ),
    "ko": Phrases(
        "죄송합니다. 지금은 상담원이 응대할 수 없습니다.",
        "삐 소리가 나면 메시지를 남겨 주세요.",
        "감사합니다. 안녕히 계세요.",
        "지금은 영업시간이 아닙니다. 영업시간에 다시 전화해 주세요.",
    ),
    "nb": _NORWEGIAN,
    "nl": Phrases(
        "Het spijt ons, onze assistent is op dit moment niet beschikbaar.",
        "Spreek na de toon een bericht in.",
        "Dank u wel. Tot ziens.",
        "We zijn op dit moment gesloten. Belt u ons alstublieft terug tijdens onze openingstijden.",
    ),
    "no": _NORWEGIAN,
    "pl": Phrases(
        "Przepraszamy, nasz asystent jest w tej chwili niedostępny.",
        "Prosimy zostawić wiadomość po sygnale.",
        "Dziękujemy. Do widzenia.",
        "W tej chwili jesteśmy zamknięci. Prosimy zadzwonić ponownie w godzinach otwarcia.",
    ),
    "pt": Phrases(
        "Lamentamos, o nosso assistente não está disponível neste momento.",
        "Por favor, deixe uma mensagem após o sinal.",
        "Obrigado. Até logo.",
        "Neste momento estamos fechados. Por favor, volte a ligar no nosso horário de funcionamento.",
    ),
    "ro": Phrases(
        "Ne pare rău, asistentul nostru nu este disponibil în acest moment.",
        "Vă rugăm să lăsați un mesaj după semnalul sonor.",
        "Vă mulțumim. La revedere.",
        "Momentan suntem închiși. Vă rugăm să sunați din nou în timpul programului nostru.",
    ),
    "ru": Phrases(
        "Извините, наш ассистент сейчас недоступен.",
        "Пожалуйста, оставьте сообщение после сигнала.",
        "Спасибо. До свидания.",
        "Сейчас мы закрыты. Пожалуйста, перезвоните в часы нашей работы.",
    ),
    "sk": Phrases(
        "Ospravedlňujeme sa, náš asistent momentálne nie je k dispozícii.",
        "Zanechajte, prosím, správu po zaznení tónu.",
        "Ďakujeme. Dopočutia.",
        "Práve máme zatvorené. Zavolajte, prosím, znova počas našich otváracích hodín.",
    ),
    "sv": Phrases(
        "Tyvärr är vår assistent inte tillgänglig just nu.",
        "Lämna ett meddelande efter tonen.",
        "Tack. Hej då.",
        "Vi har stängt just nu. Ring gärna igen under våra öppettider.",
    ),
    "th": Phrases(
        "ขออภัย ผู้ช่วยของเราไม่พร้อมให้บริการในขณะนี้",
        "กรุณาฝากข้อความหลังเสียงสัญญาณ",
        "ขอบคุณค่ะ สวัสดีค่ะ",
        "ขณะนี้เราปิดทำการ กรุณาโทรกลับมาใหม่ในเวลาทำการของเรา",
    ),
    "tr": Phrases(
        "Üzgünüz, asistanımız şu anda müsait değil.",
        "Lütfen sinyal sesinden sonra mesajınızı bırakın.",
        "Teşekkür ederiz. Hoşça kalın.",
        "Şu anda kapalıyız. Lütfen çalışma saatlerimizde tekrar arayın.",
    ),
    "uk": Phrases(
        "Вибачте, наш асистент зараз недоступний.",
        "Будь ласка, залиште повідомлення після сигналу.",
        "Дякуємо. До побачення.",
        "Зараз ми зачинені. Будь ласка, зателефонуйте знову в години нашої роботи.",
    ),
    "vi": Phrases(
        "Rất tiếc, trợ lý của chúng tôi hiện không thể nhận cuộc gọi.",
        "Vui lòng để lại lời nhắn sau tiếng bíp.",
        "Xin cảm ơn. Tạm biệt.",
        "Hiện chúng tôi đang đóng cửa. Vui lòng gọi lại trong giờ làm việc của chúng tôi.",
    ),
    "zh": Phrases(
        "很抱歉，我们的助理暂时无法接听。",
        "请在提示音后留言。",
        "谢谢，再见。",
        "我们现在不在营业时间，请在营业时间再来电。",
    ),
    "zh-TW": Phrases(
        "很抱歉，我們的助理暫時無法接聽。",
        "請在提示音後留言。",
        "謝謝，再見。",
        "我們現在不在營業時間，請在營業時間再來電。",
    ),
}
