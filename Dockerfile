# gantrain with PyTorch's CUDA build: docker build -t gantrain . && docker run --gpus all -v $PWD/runs:/work/runs gantrain
FROM python:3.12-slim
COPY . /gantrain
RUN pip install --no-cache-dir /gantrain
WORKDIR /work
ENTRYPOINT ["gantrain"]
