"""A small glossary in five languages."""

from __future__ import annotations

from media.speech.market import Forms, Market, Term

ORDER = Term(
    "order",
    {
        "en": Forms("order", "orders"),
        "es": Forms("pedido", "pedidos", "m"),
        "fr": Forms("commande", "commandes", "f"),
        "de": Forms("Bestellung", "Bestellungen", "f"),
        "zh": Forms("订单"),
        "ar": Forms("طلب", "طلبات", "m"),
    },
)
INVOICE = Term(
    "invoice",
    {
        "en": Forms("invoice", "", also=("bill",)),
        "es": Forms("factura", "facturas", "f"),
        "fr": Forms("facture", "factures", "f"),
        "de": Forms("Rechnung", "Rechnungen", "f"),
        "zh": Forms("发票", also=("账单",)),
    },
)
LOAN = Term("loan", {"en": Forms("loan"), "de": Forms("Darlehen", "Darlehen", "n", "Darlehens")})
KYC = Term("KYC", {tag: Forms("KYC", "KYC") for tag in ("en", "es", "fr", "de", "zh", "ar")})
AURORA = Term("Aurora Plus", {tag: Forms("Aurora Plus", "Aurora Plus", "m") for tag in ("en", "es", "zh")})
TERMS = (ORDER, INVOICE, LOAN, KYC, AURORA)


def market(language: str, **values: object) -> Market:
    return Market(language, language, terms=TERMS, **values)  # type: ignore[arg-type]
