using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace ClaimCheck.Aws.Tests;

/// <summary>What servers answer, good and bad.</summary>
internal static class Answers
{
    public const string Received =
        """{"Messages":[{"MessageId":"m-1","ReceiptHandle":"h-1","Body":"hello","MD5OfBody":"5d41402abc4b2a76b9719d911017c592"}]}""";

    public const string Published =
        "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>m-1</MessageId></PublishResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></PublishResponse>";

    public static Func<HttpContext, Task> Json(string body, int status = 200, params (string Name, string Value)[] headers) =>
        Text(body, "application/x-amz-json-1.0", status, headers);

    public static Func<HttpContext, Task> Xml(string body, int status = 200, params (string Name, string Value)[] headers) =>
        Text(body, "text/xml", status, headers);

    /// <summary>An error as SQS says it.</summary>
    public static Func<HttpContext, Task> SqsError(
        int status, string type, string words = "Words of the server.", string? queryError = null) =>
        Json(
            $$"""{"__type":"com.amazonaws.sqs#{{type}}","message":"{{words}}"}""", status,
            [("x-amzn-RequestId", "r-42"),
                .. queryError is null ? Array.Empty<(string, string)>() : [("x-amzn-query-error", queryError)]]);

    /// <summary>An error as SNS says it.</summary>
    public static Func<HttpContext, Task> SnsError(int status, string code, string words = "Words of the server.") => Xml(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>"
        + $"{code}</Code><Message>{words}</Message></Error><RequestId>r-42</RequestId></ErrorResponse>",
        status);

    /// <summary>The connection ends without an answer.</summary>
    public static Task Reset(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    /// <summary>The connection ends in the middle of the answer, which says how long it would have been.</summary>
    public static Func<HttpContext, Task> CutOff(string body, int after) => async context =>
    {
        context.Response.ContentLength = Encoding.UTF8.GetByteCount(body);
        await context.Response.WriteAsync(body[..after]);
        await context.Response.Body.FlushAsync();
        context.Abort();
    };

    /// <summary>Nothing comes, not even headers.</summary>
    public static async Task Silence(HttpContext context)
    {
        try
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>The answer takes its time.</summary>
    public static Func<HttpContext, Task> Late(Func<HttpContext, Task> answer, TimeSpan by) => async context =>
    {
        await Task.Delay(by, context.RequestAborted);
        await answer(context);
    };

    /// <summary>Half of the answer comes, and then nothing.</summary>
    public static Func<HttpContext, Task> Stall(string body) => async context =>
    {
        context.Response.ContentLength = Encoding.UTF8.GetByteCount(body);
        await context.Response.WriteAsync(body[..(body.Length / 2)]);
        await context.Response.Body.FlushAsync();
        await Silence(context);
    };

    /// <summary>The server's clock is ahead of ours.</summary>
    public static Func<HttpContext, Task> Skewed(Func<HttpContext, Task> answer, TimeSpan by) => context =>
    {
        context.Response.Headers.Date = TimeProvider.System.GetUtcNow().Add(by).ToString("R", CultureInfo.InvariantCulture);
        return answer(context);
    };

    private static Func<HttpContext, Task> Text(string body, string type, int status, (string Name, string Value)[] headers) =>
        async context =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = type;
            foreach (var (name, value) in headers)
                context.Response.Headers[name] = value;
            await context.Response.WriteAsync(body);
        };
}
