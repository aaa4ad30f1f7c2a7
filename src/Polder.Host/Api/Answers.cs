using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Polder.Node.Operations;

namespace Polder.Host.Api;

/// <summary>How the API answers: JSON, and refusals as status and <c>{"error": …}</c>.</summary>
internal static class Answers
{
    /// <summary>The HTTP status of a refusal.</summary>
    public static HttpStatusCode StatusOf(RefusalKind kind) => kind switch
    {
        RefusalKind.BadInput => HttpStatusCode.BadRequest,
        RefusalKind.NotFound => HttpStatusCode.NotFound,
        RefusalKind.Conflict => HttpStatusCode.Conflict,
        _ => HttpStatusCode.ServiceUnavailable,
    };

    /// <summary>The other way: what a status means.</summary>
    public static RefusalKind KindOf(HttpStatusCode status) => status switch
    {
        HttpStatusCode.NotFound => RefusalKind.NotFound,
        HttpStatusCode.Conflict => RefusalKind.Conflict,
        HttpStatusCode.ServiceUnavailable or HttpStatusCode.RequestTimeout => RefusalKind.Unavailable,
        _ => RefusalKind.BadInput,
    };

    /// <summary>Writes a value.</summary>
    public static Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        return JsonSerializer.SerializeAsync(context.Response.Body, value, type, context.RequestAborted);
    }

    /// <summary>Writes a refusal.</summary>
    public static Task WriteErrorAsync(HttpContext context, HttpStatusCode status, string words)
    {
        context.Response.StatusCode = (int)status;
        return WriteAsync(context, new ErrorView(words), HostJson.Default.ErrorView);
    }
}
