using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace ClaimCheck.Web;

/// <summary>
/// Adds a body to answers of the server itself, before a request exists: for a request line or header that can't be read it sends
/// a bare 4xx. Works on plain connections; on TLS connections the bytes are encrypted at this level.
/// </summary>
public static class BareRefusals
{
    /// <summary>Adds the step to the connections of an endpoint.</summary>
    /// <param name="builder">The endpoint's.</param>
    /// <param name="problemFor">The problem document for a status, as UTF-8 JSON.</param>
    public static void AddBodies(this IConnectionBuilder builder, Func<int, byte[]> problemFor) =>
        builder.Use(next => async connection =>
        {
            var transport = connection.Transport;
            connection.Transport = new Explained(transport, new ExplainingWriter(transport.Output, problemFor));
            try
            {
                await next(connection);
            }
            finally
            {
                connection.Transport = transport;
            }
        });

    private sealed class Explained(IDuplexPipe transport, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => transport.Input;

        public PipeWriter Output => output;
    }

    // Passes everything through, without a copy. The bare answer is written at once, and nothing follows it.
    private sealed class ExplainingWriter(PipeWriter inner, Func<int, byte[]> problemFor) : PipeWriter
    {
        // "HTTP/1.1 400 Bad Request", then headers in the server's own order.
        private const int StatusAt = 9;
        private const int Longest = 512;
        private Memory<byte> given;

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override Memory<byte> GetMemory(int sizeHint = 0) => given = inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override void Advance(int bytes)
        {
            var written = bytes <= given.Length ? given.Span[..bytes] : default;
            if (bytes is > 0 and < Longest && StatusOf(written) is { } status)
            {
                inner.Write(Explain(written, status));
                return;
            }

            inner.Advance(bytes);
            given = default;
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
            inner.FlushAsync(cancellationToken);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

        private static int? StatusOf(ReadOnlySpan<byte> head) =>
            head.StartsWith("HTTP/1.1 4"u8)
            && head.EndsWith("\r\n\r\n"u8)
            && head.IndexOf("\r\nContent-Length: 0\r\n"u8) > 0
            && head.IndexOf("\r\nConnection: close\r\n"u8) > 0
            && head.IndexOf("\r\nCache-Control:"u8) < 0 // our own answers have it
            && int.TryParse(head.Slice(StatusAt, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var status)
                ? status
                : null;

        private byte[] Explain(ReadOnlySpan<byte> bare, int status)
        {
            var body = problemFor(status);
            var head = Encoding.ASCII.GetString(bare).Replace(
                "\r\nContent-Length: 0\r\n",
                "\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\nContent-Length: "
                + $"{body.Length.ToString(CultureInfo.InvariantCulture)}\r\n",
                StringComparison.Ordinal);
            return [.. Encoding.ASCII.GetBytes(head), .. body];
        }
    }
}
