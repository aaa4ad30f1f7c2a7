using System.Security.Cryptography;

namespace Polder.Host.Pages;

/// <summary>The style sheet, script and pictures, from the program itself: the same published, built in place and in tests.</summary>
internal sealed class PageFiles
{
    private readonly Dictionary<string, (byte[] Bytes, string Tag, string Type)> _files = new(StringComparer.Ordinal);

    private PageFiles()
    {
        Add("polder.css", "text/css; charset=utf-8");
        Add("polder.js", "text/javascript; charset=utf-8");
        Add("contacts.js", "text/javascript; charset=utf-8");
        Add("favicon.svg", "image/svg+xml");
        Add("logo.svg", "image/svg+xml");
    }

    /// <summary>The only ones.</summary>
    public static PageFiles All { get; } = new();

    /// <summary>"/polder.css?v=1a2b3c4d": a new version of the file has a new address, so browsers may keep it for ever.</summary>
    public string Link(string name) => $"/{name}?v={_files[name].Tag}";

    /// <summary>A file as text, for pages that carry it inside.</summary>
    public string Text(string name) => System.Text.Encoding.UTF8.GetString(_files[name].Bytes);

    public void Map(IEndpointRouteBuilder routes)
    {
        foreach (var (name, file) in _files) routes.MapGet("/" + name, (RequestDelegate)(context => SendAsync(context, file)));
        routes.MapGet("/favicon.ico", (RequestDelegate)(context => SendAsync(context, _files["favicon.svg"])));
    }

    private void Add(string name, string type)
    {
        using var stream = typeof(PageFiles).Assembly.GetManifestResourceStream("wwwroot/" + name)
            ?? throw new InvalidOperationException($"The program was built without {name}.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        _files[name] = (bytes, Convert.ToHexStringLower(SHA256.HashData(bytes)[..4]), type);
    }

    private static Task SendAsync(HttpContext context, (byte[] Bytes, string Tag, string Type) file)
    {
        var tag = $"\"{file.Tag}\"";
        context.Response.Headers.ETag = tag;
        context.Response.Headers.CacheControl =
            context.Request.Query["v"] == file.Tag ? "public, max-age=31536000, immutable" : "no-cache";
        if (context.Request.Headers.IfNoneMatch == tag)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }
        context.Response.ContentType = file.Type;
        context.Response.ContentLength = file.Bytes.Length;
        return context.Response.Body.WriteAsync(file.Bytes).AsTask();
    }
}
