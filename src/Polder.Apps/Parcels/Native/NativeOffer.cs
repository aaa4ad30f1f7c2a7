using System.Buffers;
using System.Text.Json;
using Polder.Cryptography;

namespace Polder.Apps.Parcels.Native;

/// <summary>
/// What the sender offers: files with their names, sizes and content names. A long list goes over transit as item 0, and the offer carries only
/// its size and root.
/// </summary>
/// <remarks><code>
/// {"offer":{"polder":{"v":1,"items":[{"path":"a/b.txt","size":9,"mtime":1763734800,"exec":false,"root":"HEX"}],"total":9,"leaf":65536}}}
/// {"offer":{"polder":{"v":1,"manifest":{"root":"HEX","size":81234,"count":700},"total":123456,"leaf":65536}}}     the list: {"items":[…]}
/// {"answer":{"polder":{"want":[0,2,5]}}}           with a manifest, without "want": all of it
/// </code></remarks>
internal sealed record NativeOffer
{
    /// <summary>Version of this form.</summary>
    public const int Version = 1;

    /// <summary>Items in the offer itself at most; more go into a manifest.</summary>
    public const int ItemsInlineMax = 500;

    /// <summary>
    /// Bytes of an offer with its items at most. The limit of the form is 48 KiB; encrypted and in hexadecimal it must also fit into a frame of 64 KiB.
    /// </summary>
    public const int BytesInlineMax = 30 * 1024;

    /// <summary>Files of one parcel at most.</summary>
    public const int ItemsMax = 100_000;

    /// <summary>Bytes of a manifest at most.</summary>
    public const int ManifestBytesMax = 64 << 20;

    /// <summary>Bytes of a whole parcel at most, 2^53: what every program reads out of JSON without loss.</summary>
    public const long TotalMax = 1L << 53;

    private NativeOffer(IReadOnlyList<NativeItem> items, ManifestName? manifest, int count, long total) => (Items, Manifest, Count, Total) = (items, manifest, count, total);

    /// <summary>The files; empty while the manifest is still to come.</summary>
    public IReadOnlyList<NativeItem> Items { get; }

    /// <summary>The list's own name, where it does not fit into the offer.</summary>
    public ManifestName? Manifest { get; }

    /// <summary>How many files.</summary>
    public int Count { get; }

    /// <summary>Bytes of all files together.</summary>
    public long Total { get; }

    /// <summary>The number of the first file on the wire: the manifest is item 0.</summary>
    public int FirstItem => Manifest is null ? 0 : 1;

    /// <summary>An offer of these files. Paths that break the rules, too many or too large files throw.</summary>
    public static NativeOffer Of(IReadOnlyList<NativeItem> items)
    {
        if (Problem(items) is { } problem) throw new ArgumentException(problem, nameof(items));
        var offer = new NativeOffer(items, null, items.Count, items.Sum(static item => item.Size));
        if (items.Count <= ItemsInlineMax && offer.WriteOffer().Length <= BytesInlineMax) return offer;
        var list = offer.WriteManifest();
        var leaves = new Hash256[ContentName.LeafCountOf(list.Length)];
        for (var leaf = 0; leaf < leaves.Length; leaf++)
            leaves[leaf] = ContentName.HashLeaf(list.AsSpan(leaf * ContentName.LeafBytesLeast, ContentName.LengthOf(list.Length, leaf)));
        return new NativeOffer(items, new ManifestName(ContentName.Root(list.Length, leaves), list.Length), items.Count, offer.Total);
    }

    /// <summary>What is wrong with a list of files; null for nothing.</summary>
    public static string? Problem(IReadOnlyList<NativeItem> items)
    {
        if (items.Count is 0 or > ItemsMax) return $"A parcel has 1 to {ItemsMax} files; this one has {items.Count}.";
        long total = 0;
        foreach (var item in items)
        {
            if (item.Size is < 0 or > ContentName.SizeMax) return $"The file \"{ItemPath.Escaped(item.Path)}\" has an impossible size.";
            if ((total += item.Size) > TotalMax) return "The parcel is larger than any disk.";
        }
        return ItemPath.ListProblem(items.Select(static item => item.Path));
    }

    /// <summary>The message of phase 1.</summary>
    public byte[] WriteOffer() => Json(writer =>
    {
        writer.WriteStartObject("offer");
        writer.WriteStartObject("polder");
        writer.WriteNumber("v", Version);
        if (Manifest is { } manifest)
        {
            writer.WriteStartObject("manifest");
            writer.WriteString("root", manifest.Root.ToString());
            writer.WriteNumber("size", manifest.Size);
            writer.WriteNumber("count", Count);
            writer.WriteEndObject();
        }
        else WriteItems(writer);
        writer.WriteNumber("total", Total);
        writer.WriteNumber("leaf", ContentName.LeafBytesLeast);
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    /// <summary>The list that goes as item 0.</summary>
    public byte[] WriteManifest() => Json(WriteItems);

    /// <summary>Reads an offer; null with the reason when it is none or breaks a rule.</summary>
    public static NativeOffer? Read(ReadOnlyMemory<byte> json, out string? problem)
    {
        problem = "The offer is not of the form that this program knows.";
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
            if (!Get(document.RootElement, "offer", out var outer) || !Get(outer, "polder", out var offer)) return null;
            if (Number(offer, "v") != Version)
            {
                problem = "The sender's program offers in a form that is newer than this program. Update it, or ask for the file in a plain way.";
                return null;
            }
            if (Number(offer, "leaf") != ContentName.LeafBytesLeast || Number(offer, "total") is not { } total || total > TotalMax) return null;
            if (Get(offer, "manifest", out var manifest))
            {
                if (Root(manifest) is not { } root || Number(manifest, "size") is not { } size || Number(manifest, "count") is not { } count) return null;
                if (size is 0 or > ManifestBytesMax || count is 0 or > ItemsMax)
                {
                    problem = $"The sender offers a list of {count} files in {size} bytes; at most {ItemsMax} files in {ManifestBytesMax} bytes are taken.";
                    return null;
                }
                problem = null;
                return new NativeOffer([], new ManifestName(root, size), (int)count, total);
            }
            if (ReadItems(offer, ItemsInlineMax, out problem) is not { } items) return null;
            if (items.Sum(static item => item.Size) != total)
            {
                problem = "The sizes of the offer do not add up.";
                return null;
            }
            return new NativeOffer(items, null, items.Count, total);
        }
        catch (JsonException) { return null; }
    }

    /// <summary>The offer with the list that came as item 0; null with the reason when the list is not what was offered.</summary>
    public NativeOffer? WithManifest(ReadOnlyMemory<byte> list, out string? problem)
    {
        problem = "The list of files is not of the form that this program knows.";
        try
        {
            using var document = JsonDocument.Parse(list, new JsonDocumentOptions { MaxDepth = 16 });
            if (ReadItems(document.RootElement, Count, out problem) is not { } items) return null;
            if (items.Count != Count || items.Sum(static item => item.Size) != Total)
            {
                problem = "The list of files is not the one that was offered.";
                return null;
            }
            return new NativeOffer(items, Manifest, Count, Total);
        }
        catch (JsonException) { return null; }
    }

    /// <summary>The receiver's answer; null wants all.</summary>
    public static byte[] WriteAnswer(IReadOnlyList<int>? want) => Json(writer =>
    {
        writer.WriteStartObject("answer");
        writer.WriteStartObject("polder");
        if (want is not null)
        {
            writer.WriteStartArray("want");
            foreach (var item in want) writer.WriteNumberValue(item);
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    /// <summary>Reads an answer to this offer: which files are wanted, in order. Null when it is none, or wants what is not there.</summary>
    public IReadOnlyList<int>? ReadAnswer(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
            if (!Get(document.RootElement, "answer", out var outer) || !Get(outer, "polder", out var answer)) return null;
            if (!answer.TryGetProperty("want", out var want)) return [.. Enumerable.Range(0, Count)];
            if (want.ValueKind != JsonValueKind.Array || want.GetArrayLength() > Count) return null;
            var wanted = new List<int>();
            foreach (var element in want.EnumerateArray())
            {
                if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt32(out var item) || item < 0 || item >= Count) return null;
                // Rising, so that none is there twice.
                if (wanted.Count > 0 && item <= wanted[^1]) return null;
                wanted.Add(item);
            }
            return wanted;
        }
        catch (JsonException) { return null; }
    }

    private static List<NativeItem>? ReadItems(JsonElement from, int most, out string? problem)
    {
        problem = "The list of files is not of the form that this program knows.";
        if (from.ValueKind != JsonValueKind.Object || !from.TryGetProperty("items", out var list) || list.ValueKind != JsonValueKind.Array) return null;
        if (list.GetArrayLength() > most) return null;
        var items = new List<NativeItem>(list.GetArrayLength());
        foreach (var element in list.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty("path", out var path) || path.ValueKind != JsonValueKind.String) return null;
            if (Number(element, "size") is not { } size || Root(element) is not { } root) return null;
            // JSON can say half a surrogate pair; such a path is none.
            string text;
            try { text = path.GetString()!; }
            catch (InvalidOperationException) { return null; }
            var isExecutable = element.TryGetProperty("exec", out var exec) && exec.ValueKind == JsonValueKind.True;
            items.Add(new NativeItem(text, size, Number(element, "mtime") ?? 0, isExecutable, root));
        }
        problem = Problem(items);
        return problem is null ? items : null;
    }

    private void WriteItems(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("items");
        foreach (var item in Items)
        {
            writer.WriteStartObject();
            writer.WriteString("path", item.Path);
            writer.WriteNumber("size", item.Size);
            writer.WriteNumber("mtime", item.ModifiedUnixSeconds);
            writer.WriteBoolean("exec", item.IsExecutable);
            writer.WriteString("root", item.Root.ToString());
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static bool Get(JsonElement from, string name, out JsonElement inner)
    {
        inner = default;
        return from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out inner) && inner.ValueKind == JsonValueKind.Object;
    }

    private static long? Number(JsonElement from, string name) =>
        from.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number is >= 0 and <= TotalMax ? number : null;

    private static Hash256? Root(JsonElement from)
    {
        if (!from.TryGetProperty("root", out var value) || value.ValueKind != JsonValueKind.String) return null;
        Span<byte> bytes = stackalloc byte[Hash256.Bytes];
        string? text;
        try { text = value.GetString(); }
        catch (InvalidOperationException) { return null; }
        return text is { Length: 2 * Hash256.Bytes } && Convert.FromHexString(text, bytes, out _, out _) == OperationStatus.Done ? new Hash256(bytes) : null;
    }
}

/// <summary>The list of files as a piece of content.</summary>
/// <param name="Root">Its content name.</param>
/// <param name="Size">Its bytes.</param>
internal sealed record ManifestName(Hash256 Root, long Size);
