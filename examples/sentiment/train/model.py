import torch
from torch import nn


class LSTMClassifier(nn.Module):
    """Words → vectors → LSTM → the mean of what it says of each word → one number: above 0 is good."""

    def __init__(self, embedding_dim, hidden_dim, vocab_size):
        super(LSTMClassifier, self).__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx=0)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim, batch_first=True)
        self.dense = nn.Linear(hidden_dim, 1)
        self.dropout = nn.Dropout(0.5)

    def forward(self, reviews, lengths):
        said, _ = self.lstm(self.dropout(self.embedding(reviews)))
        words = torch.arange(reviews.shape[1])[None, :] < lengths[:, None]
        mean = (said * words[:, :, None].float()).sum(1) / lengths[:, None].float()
        return self.dense(self.dropout(mean)).squeeze(1)
