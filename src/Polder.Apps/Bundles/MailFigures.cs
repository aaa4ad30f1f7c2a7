namespace Polder.Apps.Bundles;

/// <summary>What the mail-bag did since the start.</summary>
internal sealed class MailFigures
{
    public long LettersGiven { get; set; }
    public long BytesGiven { get; set; }
    public long Posted { get; set; }
    public long Delivered { get; set; }
    public long ForgedProofs { get; set; }
}
